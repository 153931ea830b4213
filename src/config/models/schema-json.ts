// The form of models.yaml as a JSON Schema, for editors: they complete keys, show what each one means, and mark
// what would be refused.
import { z } from "zod"
import { once } from "./fields.ts"
import { instancesSchema } from "./instances.ts"
import { modelSchema, providerIdForm, providerSchema } from "./schema.ts"
import {
  authSchema,
  cacheSchema,
  deepSeekSchema,
  openAiSchema,
  routerSchema,
  tiersSchema,
} from "./sections.ts"

const models = once(() => z.array(modelSchema().meta({ id: "model" })).describe("Models of your own."))

/** A section may be empty, for its lines may be comments. */
const section = <S extends z.ZodType>(schema: S) => schema.nullish()

const fileSchema = once(() =>
  z.union([
    models(),
    z.strictObject({
      models: section(models()),
      providers: section(
        z
          .record(z.string().regex(providerIdForm), providerSchema().meta({ id: "provider" }))
          .describe("Providers of your own, or what you change of known ones, by id."),
      ),
      router: section(routerSchema()),
      tiers: section(tiersSchema()),
      auth: section(authSchema()),
      cache: section(cacheSchema()),
      instances: section(instancesSchema()),
      openai: section(openAiSchema()),
      deepseek: section(deepSeekSchema()),
    }),
    z.null(),
  ]),
)

/** Made from the schemas that the file itself is read with. Draft 7, which editors of YAML know best. */
export function modelsFileSchema(): unknown {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema(), {
    io: "input",
    target: "draft-07",
    override: ({ jsonSchema }) => {
      if (jsonSchema.id === "model")
        jsonSchema.anyOf = [{ required: ["api_base"] }, { required: ["provider"] }]
      // The name stands in the reference; as a keyword of its own it would mean an address.
      delete jsonSchema.id
    },
  })
  return {
    $schema,
    title: "models.yaml of claude-proxy",
    description:
      "Models, providers and routes of claude-proxy: a list of models, or a mapping with sections.",
    ...schema,
  }
}
