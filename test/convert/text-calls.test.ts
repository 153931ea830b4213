// Tool calls written as text: each dialect, however the text is cut, and everything that only looks like one.
import { describe, expect, test } from "bun:test"
import { flushTextCalls } from "../../src/convert/text-calls/flush.ts"
import { openers, steps } from "../../src/convert/text-calls/grammar.ts"
import { bareOpeners } from "../../src/convert/text-calls/grammar-lists.ts"
import type { TextPiece } from "../../src/convert/text-calls/output.ts"
import { end } from "../../src/convert/text-calls/steps.ts"
import { initialTextCalls, readTextCalls } from "../../src/convert/text-calls/text-calls.ts"
import type { JsonObject } from "../../src/protocol/json.ts"
import { property, type Random } from "../support/random.ts"

const offered = new Set(["Bash", "Write", "Read", "TodoWrite", "mcp__git__log"])
const schemas = new Map<string, JsonObject>([
  [
    "Write",
    {
      type: "object",
      properties: {
        path: { type: "string" },
        content: { type: "string" },
        mode: { type: "integer" },
        force: { type: ["boolean", "null"] },
        tags: { anyOf: [{ type: "array" }, { type: "null" }] },
        owner: { $ref: "#/$defs/Owner" },
        label: { anyOf: [{ type: "string" }, { type: "null" }] },
        kind: { enum: ["1", "2"] },
      },
      $defs: { Owner: { type: "object" } },
    },
  ],
])

schemas.set("TodoWrite", {
  type: "object",
  properties: { todos: { type: "array", items: { $ref: "#/$defs/Todo" } } },
  $defs: {
    Todo: {
      type: "object",
      properties: {
        content: { type: "string" },
        count: { type: "integer" },
        tags: { type: "array", items: { type: "string" } },
        links: { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] },
      },
    },
  },
})

type Out = string | readonly [name: string, args: unknown]

/** Text joined, calls with their arguments parsed. */
function plain(pieces: readonly TextPiece[]): readonly Out[] {
  const out: Out[] = []
  for (const piece of pieces) {
    const last = out.at(-1)
    if (piece.kind === "call") out.push([piece.call.name, JSON.parse(piece.call.args)])
    else if (typeof last === "string") out[out.length - 1] = last + piece.text
    else out.push(piece.text)
  }
  return out
}

function readAll(chunks: readonly string[], names: ReadonlySet<string> = offered): readonly TextPiece[] {
  let state = initialTextCalls(names, schemas)
  const out: TextPiece[] = []
  for (const chunk of chunks) {
    const [next, pieces] = readTextCalls(state, chunk)
    state = next
    out.push(...pieces)
  }
  out.push(...flushTextCalls(state)[1])
  return out
}

const read = (chunks: readonly string[]): readonly Out[] => plain(readAll(chunks))

/** The same pieces whole, in single characters, and cut in two at every position. */
function expectPieces(text: string, expected: readonly Out[]): void {
  expect(read([text])).toEqual(expected)
  expect(read([...text])).toEqual(expected)
  for (let at = 1; at < text.length; at++) {
    const cut = read([text.slice(0, at), text.slice(at)])
    if (!Bun.deepEquals(cut, expected)) expect([at, cut]).toEqual([at, expected])
  }
}

const ls: Out = ["Bash", { command: "ls" }]
const pwd: Out = ["Bash", { command: "pwd" }]
const fenceWrite: Out = ["Write", { path: "a", content: "```\nx\n```" }]
const lsJson = '{"name":"Bash","arguments":{"command":"ls"}}'
const pwdJson = '{"name":"Bash","arguments":{"command":"pwd"}}'
const lsFunction = "<function=Bash>\n<parameter=command>\nls\n</parameter>\n</function>"
const lsInvoke = '<invoke name="Bash">\n<parameter name="command">ls</parameter>\n</invoke>'
const pwdInvoke = '<invoke name="Bash">\n<parameter name="command">pwd</parameter>\n</invoke>'
const kimiCall = (name: string, args: string): string =>
  `<|tool_call_begin|>${name}<|tool_call_argument_begin|>${args}<|tool_call_end|>`
const v3Call = (name: string, args: string): string =>
  `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${args}\n\`\`\`<｜tool▁call▁end｜>`
const v31Call = (name: string, args: string): string =>
  `<｜tool▁call▁begin｜>${name}<｜tool▁sep｜>${args}<｜tool▁call▁end｜>`
const mark = "]<]minimax[>["
/** As MiniMax-M3 writes tags: a mark before each. */
const marked = (text: string): string => text.replaceAll(/<(?=\/?[a-z])/g, `${mark}<`)
const lsTag = '<invoke name="Bash"><command>ls</command></invoke>'
const dsml = (text: string): string => text.replaceAll(/<(\/?)(?=[a-z])/g, "<$1｜DSML｜")

const calls: Readonly<Record<string, readonly (readonly [string, readonly Out[]])[]>> = {
  "Hermes and Qwen": [
    [`<tool_call>${lsJson}</tool_call>`, [ls]],
    [`<tool_call>\n${lsJson}\n</tool_call>`, [ls]],
    [
      `Let me look.\n\n<tool_call>\n${lsJson}\n</tool_call>\n<tool_call>\n${pwdJson}\n</tool_call>\n`,
      ["Let me look.\n\n", ls, pwd],
    ],
    [`\n\n<tool_call>${lsJson}</tool_call>\n\n`, [ls]],
    [`<tool_call>${lsJson}</tool_call>\n\n  Done.\n`, [ls, "Done.\n"]],
    ['<tool_call>{"name": "Bash", "parameters": {"command": "ls"}}</tool_call>', [ls]],
    ['<tool_call>{"arguments": {"command": "ls"}, "name": "Bash"}</tool_call>', [ls]],
    ['<tool_call>{"name":"Bash","arguments":"{\\"command\\":\\"ls\\"}"}</tool_call>', [ls]],
    [`<tool_call>{"type":"function","function":${lsJson}}</tool_call>`, [ls]],
    [`<tool_call>[${lsJson}, ${pwdJson}]</tool_call>`, [ls, pwd]],
    [`<tool_call>\n${lsJson}\n${pwdJson}\n</tool_call>`, [ls, pwd]],
    ['<tool_call>{"name":"Read"}</tool_call>', [["Read", {}]]],
    ['<tool_call>{"name":"functions.Bash","arguments":{"command":"ls"}}</tool_call>', [ls]],
    ['<tool_call>{"name":"bash","arguments":{"command":"ls"}}</tool_call>', [ls]],
    ['<tool_call>{"name":"functions.BASH","arguments":{"command":"ls"}}</tool_call>', [ls]],
    ['<tool_call>{"name":"default_api:Bash","arguments":{"command":"ls"}}</tool_call>', [ls]],
    [`<tool_call>${lsJson}`, [ls]],
    [`<tool_call>${lsJson}\n</tool_c`, [ls]],
    [
      '<tool_call>{"name":"Write","arguments":{"content":"a </tool_call> \\" } ] b"}}</tool_call>',
      [["Write", { content: 'a </tool_call> " } ] b' }]],
    ],
  ],
  GLM: [
    ["<tool_call>Bash\n<arg_key>command</arg_key>\n<arg_value>ls</arg_value>\n</tool_call>", [ls]],
    ["<tool_call>Bash<arg_key>command</arg_key><arg_value>ls</arg_value></tool_call>", [ls]],
    ["<tool_call>Read</tool_call>", [["Read", {}]]],
    [
      "<tool_call>Write\n<arg_key>path</arg_key>\n<arg_value>1</arg_value>\n<arg_key>mode</arg_key>\n" +
        '<arg_value>1</arg_value>\n<arg_key>tags</arg_key>\n<arg_value>["a"]</arg_value>\n</tool_call>',
      [["Write", { path: "1", mode: 1, tags: ["a"] }]],
    ],
    [
      "<tool_call>Write<arg_key>content</arg_key><arg_value>\n a\n\n</arg_value></tool_call>",
      [["Write", { content: "\n a\n\n" }]],
    ],
  ],
  "Qwen3-Coder and Llama": [
    [`<tool_call>\n${lsFunction}\n</tool_call>`, [ls]],
    [lsFunction, [ls]],
    [`Now:\n${lsFunction}\n</tool_call>\n`, ["Now:\n", ls]],
    [`${lsFunction}\n${lsFunction}\nEnd`, [ls, ls, "End"]],
    [`<tool_call>${lsFunction}${lsFunction}</tool_call>`, [ls, ls]],
    [`<tool_call>\n${lsFunction}\n`, [ls]],
    ['<function=Bash>{"command": "ls"}</function>', [ls]],
    ['<function=Bash>{"command": "ls"}', [ls]],
    ["<function=Read>\n</function>", [["Read", {}]]],
    ["<function=Bash><parameter=command>ls</parameter></function>", [ls]],
    [
      "<function=Write>\n<parameter=content>\n\nif (a < b && c) x = '&lt;</div>'\n\n</parameter>\n</function>",
      [["Write", { content: "\nif (a < b && c) x = '&lt;</div>'\n" }]],
    ],
    [
      "<function=Write>\n<parameter=mode>\n420\n</parameter>\n<parameter=force>\ntrue\n</parameter>\n" +
        '<parameter=owner>\n{"id": 1}\n</parameter>\n<parameter=label>\nnull\n</parameter>\n' +
        "<parameter=kind>\n1\n</parameter>\n</function>",
      [["Write", { mode: 420, force: true, owner: { id: 1 }, label: "null", kind: "1" }]],
    ],
    [
      "<function=Read><parameter=a>1</parameter><parameter=b>null</parameter><parameter=c>x y</parameter>" +
        '<parameter=d>"q"</parameter><parameter=-n>[1]</parameter><parameter=f>{1}</parameter></function>',
      [["Read", { a: 1, b: null, c: "x y", d: '"q"', "-n": [1], f: "{1}" }]],
    ],
    [
      "<function=Write><parameter=mode>a lot</parameter><parameter=__proto__>1</parameter></function>",
      [["Write", JSON.parse('{"mode":"a lot","__proto__":1}')]],
    ],
  ],
  Kimi: [
    [
      `<|tool_calls_section_begin|>${kimiCall("functions.Bash:0", '{"command":"ls"}')}<|tool_calls_section_end|>`,
      [ls],
    ],
    [
      `Hm. <|tool_calls_section_begin|>\n${kimiCall(" functions.Bash:0 ", '{"command":"ls"}')}\n` +
        `${kimiCall("Bash:1", '{"command":"pwd"}')}\n<|tool_calls_section_end|>`,
      ["Hm. ", ls, pwd],
    ],
    [kimiCall("functions.Bash:0", '{"command":"ls"}'), [ls]],
    [`${kimiCall("Bash", '{"command":"ls"}')}${kimiCall("Bash", '{"command":"pwd"}')}`, [ls, pwd]],
    [`${kimiCall("Bash", '{"command":"ls"}')}<|tool_calls_section_end|>`, [ls]],
    ['<|tool_call_begin|>Bash<|tool_call_argument_begin|>{"command":"ls"}', [ls]],
  ],
  "Mistral and LM Studio": [
    [`[TOOL_CALLS][${lsJson}]`, [ls]],
    [`[TOOL_CALLS] [${lsJson}, ${pwdJson}]\n`, [ls, pwd]],
    ['[TOOL_CALLS]Bash[ARGS]{"command":"ls"}', [ls]],
    ['So.[TOOL_CALLS]Bash[ARGS]{"command":"ls"}[TOOL_CALLS]Bash[ARGS]{"command":"pwd"}', ["So.", ls, pwd]],
    ['[TOOL_CALLS]Bash[CALL_ID]a1B2c3D4e[ARGS]{"command":"ls"}', [ls]],
    ['[TOOL_CALLS]Bash{"command":"ls"}', [ls]],
    [`[TOOL_REQUEST]${lsJson}[END_TOOL_REQUEST]`, [ls]],
    [`[TOOL_REQUEST]\n${lsJson}\n`, [ls]],
  ],
  "JSON behind a tag": [
    [`<|tool_call|>[${lsJson}]`, [ls]],
    [`<|tool_call|>[${lsJson},${pwdJson}]<|/tool_call|>`, [ls, pwd]],
    [`So:\n<tool_calls>\n${lsJson}\n${pwdJson}\n</tool_calls>`, ["So:\n", ls, pwd]],
    [`<tool_calls>[${lsJson}]</tool_calls>`, [ls]],
    [`<tools>\n${lsJson}\n</tools>`, [ls]],
    [`<function_call>${lsJson}</function_call>`, [ls]],
    [`<TOOLCALL>[${lsJson}]</TOOLCALL>`, [ls]],
    [
      '<|START_ACTION|>[\n {"tool_call_id": "0", "tool_name": "Bash", "parameters": {"command": "ls"}}\n]<|END_ACTION|>',
      [ls],
    ],
    [
      `I look.<|action_start|><|plugin|>{"name":"Bash","parameters":{"command":"ls"}}<|action_end|>`,
      ["I look.", ls],
    ],
    [`<longcat_tool_call>\n${lsJson}\n</longcat_tool_call>`, [ls]],
    [`<|python_tag|>${lsJson}; ${pwdJson}<|eom_id|>`, [ls, pwd]],
    [`<|channel|>commentary to=functions.Bash<|message|>{"command":"ls"}<|call|>`, [ls]],
  ],
  "Seed-OSS": [
    [`<seed:tool_call>\n${lsFunction}\n</seed:tool_call>`, [ls]],
    [`<seed:tool_call>${lsFunction}${lsFunction}</seed:tool_call>\nDone.`, [ls, ls, "Done."]],
  ],
  "other notations": [
    ['<|tool_call_start|>[Bash(command="ls")]<|tool_call_end|>Now.', [ls, "Now."]],
    [`<|tool_call_start|>[${lsJson}]<|tool_call_end|>`, [ls]],
    ["<|python_start|>[Bash(command='ls'), Bash(command='pwd')]<|python_end|>", [ls, pwd]],
    ['<|tool_call>call:Bash(command: "ls")<tool_call|>', [ls]],
    ['<|tool_call>call:Bash(command="ls")<tool_call|>', [ls]],
    ['<|tool_call>call:Bash{command:<|"|>ls<|"|>}<tool_call|>', [ls]],
    [
      '<|tool_call>call:Write{path:<|"|>a "b" \\n<|"|>,mode:420,force:true,tags:[<|"|>x<|"|>],owner:{id:1}}<tool_call|><|tool_response>',
      [["Write", { path: 'a "b" \\n', mode: 420, force: true, tags: ["x"], owner: { id: 1 } }]],
    ],
  ],
  "OLMo 3": [
    [`<function_calls>Bash(command="ls")</function_calls>`, [ls]],
    [
      `<function_calls>\nBash(command="ls")\nBash(command="pwd")\n</function_calls>\nDone.`,
      [ls, pwd, "Done."],
    ],
    [`I look.\n\n<function_calls>Bash(command='ls')`, ["I look.\n\n", ls]],
    [
      `<function_calls>Write(path="a\\n)", mode=1, force=null, tags=["x"], owner={"id": 1})</function_calls>`,
      [["Write", { path: "a\n)", mode: 1, force: null, tags: ["x"], owner: { id: 1 } }]],
    ],
  ],
  FunctionGemma: [
    ["<start_function_call>call:Bash{command:<escape>ls<escape>}<end_function_call>", [ls]],
    [
      "<start_function_call>call:Bash{command:<escape>ls<escape>}<end_function_call><start_function_call>call:Bash{command:<escape>pwd<escape>}<end_function_call><start_function_response>",
      [ls, pwd],
    ],
    [
      '<start_function_call>call:Write{path:<escape>a "b"<escape>,mode:420,force:true}<end_function_call>',
      [["Write", { path: 'a "b"', mode: 420, force: true }]],
    ],
  ],
  "a call and nothing else": [
    ['{"name": "Bash", "parameters": {"command": "ls"}}', [ls]],
    [`\n${lsJson}; ${pwdJson}\n`, [ls, pwd]],
    [`${lsJson}\n${pwdJson}<|eot_id|>`, [ls, pwd]],
    [`[${lsJson}, ${pwdJson}]`, [ls, pwd]],
    ["[Bash(command='ls')]", [ls]],
    ['{"type": "function", "name": "Bash", "parameters": {"command": "ls"}}', [ls]],
    [
      `[Write(path="it's", content='a\\n"]) \\'b\\'', mode=-1.5, force=True, tags=["x", None], owner={'id': 1}),\n Read()]`,
      [
        [
          "Write",
          {
            path: "it's",
            content: "a\n\"]) 'b'",
            mode: -1.5,
            force: true,
            tags: ["x", null],
            owner: { id: 1 },
          },
        ],
        ["Read", {}],
      ],
    ],
  ],
  "a fence and nothing else": [
    [`\`\`\`json\n${lsJson}\n\`\`\``, [ls]],
    ['\n```json\n{\n  "name": "Bash",\n  "arguments": {\n    "command": "ls"\n  }\n}\n```\n', [ls]],
    [`\`\`\`\n${lsJson}\n${pwdJson}\n\`\`\``, [ls, pwd]],
    [`\`\`\`json\n[${lsJson}, ${pwdJson}]\n\`\`\``, [ls, pwd]],
    [`\`\`\`json\n${lsJson}\n\`\`\`\n\n\`\`\`json\n${pwdJson}\n\`\`\``, [ls, pwd]],
    [`\`\`\`tool_call\n${lsJson}`, [ls]],
    ['```json\n{"name":"Write","arguments":{"path":"a","content":"```\\nx\\n```"}}\n```', [fenceWrite]],
  ],
  "MiniMax-M3": [
    [`I look.\n${marked(`<tool_call>\n${lsTag}\n</tool_call>`)}`, ["I look.\n", ls]],
    [`I look.${marked(`<tool_call>\n${lsTag}\n${lsTag}\n</tool_call>`)}`, ["I look.", ls, ls]],
    [marked('<tool_call>\n<invoke name="Bash">\n<command>ls</command>\n</invoke>\n</tool_call>'), [ls]],
    [marked(lsTag), [ls]],
    [`<tool_call>\n${marked(lsTag)}\n${mark}</tool_call>`, [ls]],
    [`<tool_call>\n${lsTag}\n</tool_call>`, [ls]],
    [`<tool_call>\n${lsInvoke}\n</tool_call>`, [ls]],
    [
      `${mark}<tool_call>\n${mark}<invoke name="Bash">${mark}<command>ls</command>${mark}</invoke>\n${mark}</tool_call>`,
      [ls],
    ],
    [
      `${mark}<tool_call>${mark}<invoke name="Write">${mark}<content><b>a]<]b</b>\n${mark}</content>${mark}<mode>420${mark}</mode>` +
        `${mark}<force>true${mark}</force>${mark}<tags>["x"]${mark}</tags>${mark}</invoke>${mark}</tool_call>`,
      [["Write", { content: "<b>a]<]b</b>\n", mode: 420, force: true, tags: ["x"] }]],
    ],
    [
      marked(
        '<invoke name="TodoWrite"><todos><content>a</content><count>1</count></todos>' +
          "<todos><content>2</content><tags>x</tags><tags>y</tags></todos></invoke>",
      ),
      [
        [
          "TodoWrite",
          {
            todos: [
              { content: "a", count: 1 },
              { content: "2", tags: ["x", "y"] },
            ],
          },
        ],
      ],
    ],
    [
      marked('<invoke name="TodoWrite"><todos><content>a</content></todos></invoke>'),
      [["TodoWrite", { todos: [{ content: "a" }] }]],
    ],
    [`${marked(lsTag)}\nDone.`, [ls, "Done."]],
    [
      marked(
        '<invoke name="TodoWrite"><todos><item><content>1</content><tags><item>2</item></tags></item>' +
          "<item><content>b</content><links><item>3</item><item>y</item></links></item></todos></invoke>",
      ),
      [
        [
          "TodoWrite",
          {
            todos: [
              { content: "1", tags: ["2"] },
              { content: "b", links: ["3", "y"] },
            ],
          },
        ],
      ],
    ],
    [
      marked(
        '<invoke name="TodoWrite"><todos><content>1</content><links>4</links></todos>' +
          "<todos><links>null</links></todos><todos><links></links></todos></invoke>",
      ),
      [["TodoWrite", { todos: [{ content: "1", links: ["4"] }, { links: null }, { links: [] }] }]],
    ],
    [
      '<tool_call><invoke name="TodoWrite"><todos>\n<item><content><b></content><tags>["2"]</tags></item>\n' +
        "<item><content>b</content></item>\n</todos></invoke></tool_call>",
      [["TodoWrite", { todos: [{ content: "<b>", tags: ["2"] }, { content: "b" }] }]],
    ],
    [
      marked('<invoke name="Bash"><command>ls</command><other><item>1</item></other></invoke>'),
      [["Bash", { command: "ls", other: [1] }]],
    ],
  ],
  "MiniMax-M2.7": [
    ['[TOOL_CALL]\n{tool => "Bash", args => {\n  --command "ls"\n}}\n[/TOOL_CALL]', [ls]],
    [
      '[TOOL_CALL]\n{tool => "Write", args => {\n  --content "a \\"b\\"\n}"\n  --mode 420\n}}\n[/TOOL_CALL]\nDone.',
      [["Write", { content: 'a "b"\n}', mode: 420 }], "Done."],
    ],
    [
      '[TOOL_CALL]{tool => "Bash", args => {--command "a\tb \\\n\\\\\r\n\\"c\\""}}[/TOOL_CALL]',
      [["Bash", { command: 'a\tb \\\n\\\r\n"c"' }]],
    ],
  ],
  "MiniMax and invocations": [
    [`<minimax:tool_call>\n${lsInvoke}\n${pwdInvoke}\n</minimax:tool_call>`, [ls, pwd]],
    [`<function_calls>${lsInvoke}</function_calls>`, [ls]],
    [`<function_calls>\n${lsInvoke}\n`, [ls]],
    [`${lsInvoke}\n${pwdInvoke}`, [ls, pwd]],
    [`${lsInvoke}\n</function_calls>`, [ls]],
    ['<invoke name="Read"></invoke>', [["Read", {}]]],
    [
      '<invoke name="Write"><parameter name="content">\n&amp;<b></parameter><parameter name="mode">1</parameter></invoke>',
      [["Write", { content: "\n&amp;<b>", mode: 1 }]],
    ],
  ],
  DeepSeek: [
    [`<｜tool▁calls▁begin｜>${v3Call("Bash", '{"command": "ls"}')}<｜tool▁calls▁end｜>`, [ls]],
    [
      `Hm.<｜tool▁calls▁begin｜>${v3Call("Bash", '{"command":"ls"}')}\n${v3Call("Bash", '{"command":"pwd"}')}<｜tool▁calls▁end｜>`,
      ["Hm.", ls, pwd],
    ],
    [
      `<｜tool▁calls▁begin｜>${v31Call("Bash", '{"command":"ls"}')}${v31Call("Bash", '{"command":"pwd"}')}<｜tool▁calls▁end｜>`,
      [ls, pwd],
    ],
    [`${v31Call("Bash", '{"command":"ls"}')}<｜tool▁calls▁end｜>`, [ls]],
    [v3Call("Bash", '{"command":"ls"}'), [ls]],
    [dsml(`<function_calls>\n${lsInvoke}\n</function_calls>`), [ls]],
    [dsml(`<tool_calls>\n${lsInvoke}\n${pwdInvoke}\n</tool_calls>`), [ls, pwd]],
    [dsml(lsInvoke), [ls]],
    ...["｜｜DSML｜｜", "‖DSML‖", "|DSML|"].flatMap((bars) => {
      const barred = (text: string) => dsml(text).replaceAll("｜DSML｜", bars)
      return [
        [barred(`<tool_calls>\n${lsInvoke}\n</tool_calls>`), [ls]],
        [
          `Let me.\n\n${barred(`<function_calls>${lsInvoke}${pwdInvoke}</function_calls>`)}`,
          ["Let me.\n\n", ls, pwd],
        ],
        [barred(lsInvoke), [ls]],
      ] as const
    }),
    [
      dsml(
        '<function_calls><invoke name="Read"><parameter name="a" string="true">1</parameter>\n' +
          '<parameter name="b" string="false">[1]</parameter></invoke></function_calls>',
      ),
      [["Read", { a: "1", b: [1] }]],
    ],
  ],
}

describe.each(Object.entries(calls))("calls as %s writes them", (_, cases) => {
  test.each(cases.map(([text, expected]) => [text, expected] as const))("%j", (text, expected) => {
    expectPieces(text, expected)
  })
})

const unchanged: Readonly<Record<string, readonly string[]>> = {
  "a name that was not offered": [
    '<tool_call>{"name":"Delete","arguments":{}}</tool_call>',
    "<tool_call>Delete</tool_call>",
    "<function=Delete>\n<parameter=a>\n1\n</parameter>\n</function>\n",
    kimiCall("functions.Delete:0", "{}"),
    "[TOOL_CALLS]Delete[ARGS]{}",
    '<invoke name="Delete"></invoke>',
    v31Call("Delete", "{}"),
    v3Call("Delete", "{}"),
    `<tool_call>[${lsJson},{"name":"Delete","arguments":{}}]</tool_call>`,
    `<function_calls>${lsInvoke}<invoke name="Delete"></invoke></function_calls>`,
    `<tool_call>{"name":"Delete","arguments":{"text":"<tool_call>${lsJson.replaceAll('"', '\\"')}</tool_call>"}}</tool_call>`,
  ],
  "a list of tools": [
    '<tools>\n{"type":"function","function":{"name":"Read","description":"Reads.","parameters":{}}}\n</tools>',
    '<tools>{"type":"function","function":{"name":"Read","parameters":{"type":"object"}}}</tools>',
    '<tools>{"type":"function","function":{"name":"Read"}}</tools>',
    '```json\n{"type":"function","name":"Read","parameters":{"type":"object"}}\n```',
    '{"name":"Bash","parameters":{"type":"object","properties":{"command":{"type":"string"}}}}',
  ],
  "Markdown code": [
    `Like so:\n\`\`\`\n<tool_call>${lsJson}</tool_call>\n\`\`\`\nand so on.`,
    `\`\`\`xml\n\n${lsFunction}\n\n\`\`\`\n`,
    `- so:\n  ~~~\n  ${lsInvoke}\n  ~~~\n`,
    `\`\`\`\`\n\`\`\`\n<tool_call>${lsJson}</tool_call>\n\`\`\`\n\`\`\`\``,
    `\`\`\`\nx\n\`\`\` not the end\n<tool_call>${lsJson}</tool_call>`,
    `Write \`<tool_call>${lsJson}</tool_call>\` for it.`,
    `Write \`\` \` <tool_call>${lsJson}</tool_call> \`\` for it.`,
    `Over \`two\nlines <tool_call>${lsJson}</tool_call>\` too.`,
    `Here: \`\`\`xml\n\n<tool_call>${lsJson}</tool_call>\n\`\`\`\n`,
    `\`\`\`<tool_call>${lsJson}</tool_call>\`\`\`\n`,
  ],
  "no more than a mention": [
    "The model writes <tool_call> and then </tool_call> around it.",
    "Text with <function=name> or <function_calls> in it, [TOOL_CALLS] too.",
    "a < b, c <tool, [TOOL_, <｜tool, <invoke name=x> <|tool_call_begin|> [TOOL_REQUEST] <<tool_call",
    "<tool_call></tool_call>",
    "<|tool_calls_section_begin|><|tool_calls_section_end|>",
    "[TOOL_CALLS][]",
    "<<<[TOOL_REQUEST]>>>\nname: Bash\n<<<[END_TOOL_REQUEST]>>>",
    " \n ",
    "",
  ],
  "a call with something before or behind it": [
    `${lsJson} is a call.`,
    `${lsJson}\n\nThat is how it looks.`,
    `So: ${lsJson}`,
    `[${lsJson}] is a list.`,
    "[Bash(command='ls')] runs it.",
    "A list: [Bash(command='ls')]",
    `\`\`\`json\n${lsJson}\n\`\`\`\nThat is how it looks.`,
    `So:\n\`\`\`json\n${lsJson}\n\`\`\``,
    `\`\`\`json\n${lsJson}\n\`\`\`\n\`\`\`sh\nls\n\`\`\``,
  ],
  "what only begins like a call": [
    '{"name": "John", "age": 3}',
    '{"name": "Delete", "parameters": {}}',
    '{"name":"Bash","parameters":{"command":"ls"}',
    '{"a": 1}',
    "{",
    "[",
    "[1, 2]",
    "[link](http://a)",
    "[Bash](http://a)",
    "[Bash(command)]",
    "[Bash(command=ls)]",
    "[Delete(command='ls')]",
    `[{"name":"Bash","parameters":{"type":"object","properties":{}}}]`,
    '[Bash("command"=1)]',
    "[Bash(command='ls'",
    "[x] done",
    "`",
    "``",
    "```",
    "`ls` lists files.",
    "```js\nlet a = {}\n```",
    "```json\n[1, 2]\n```",
    '```json\n{"name": "Delete", "arguments": {}}\n```',
    '```json\n{"name": "Bash", "age": 3}\n```',
    `\`\`\`\n<tool_call>${lsJson}</tool_call>\n\`\`\``,
    "```json\n```",
    '{"type": "function", "name": "John"}',
    '{"type": "text", "name": "Bash", "parameters": {}}',
    "The <tools> element holds <function_call> elements.",
    "a]<]b and ]<]minimax[>[ alone",
  ],
  "incomplete or malformed": [
    marked('<tool_call><invoke name="Bash"><command>ls</command>'),
    marked('<invoke name="Bash"><command>ls</other></invoke>'),
    marked('<invoke name="Bash">x<command>ls</command></invoke>'),
    marked('<invoke name="Bash"><command>x<a>1</a></command></invoke>'),
    marked('<invoke name="Delete"><command>ls</command></invoke>'),
    `<tool_call><invoke name="Bash"><command>a <command> b</command></invoke></tool_call>`,
    marked('<invoke name="Write"><content>a</content><content>b</content></invoke>'),
    '<tool_call><invoke name="TodoWrite"><todos><item><content>a</content></todos></invoke></tool_call>',
    '<tool_call><invoke name="TodoWrite"><todos><item><item>a</item></item></todos></invoke></tool_call>',
    '[TOOL_CALL]{tool => "Bash", args => {--command "ls}}[/TOOL_CALL]',
    '[TOOL_CALL]{tool => "Bash", args => {command "ls"}}[/TOOL_CALL]',
    '[TOOL_CALL]{tool => "Delete", args => {--command "ls"}}[/TOOL_CALL]',
    '[TOOL_CALL]{tool => "Bash", args => {--all --force}}[/TOOL_CALL]',
    "<|tool_call_start|>[Bash(command=)]<|tool_call_end|>",
    "<|python_tag|>print(1)",
    "<|python_start|>Bash(command='ls')<|python_end|>",
    '<|tool_call>call:Bash{command:<|"|>ls}<tool_call|>',
    "<start_function_call>call:Bash{command:<escape>ls}<end_function_call>",
    "<start_function_call>call:Delete{command:<escape>ls<escape>}<end_function_call>",
    `<function_calls>Delete(command="ls")</function_calls>`,
    `<function_calls>Bash("ls")</function_calls>`,
    `<function_calls>Bash(command="ls") lists files.`,
    `<tool_calls>${lsJson.slice(0, -1)}</tool_calls>`,
    "<|channel|>commentary to=functions.Bash<|message|>ls<|call|>",
    "<tool_call>",
    `<tool_call>${lsJson.slice(0, -1)}`,
    `<tool_call>${lsJson.slice(0, -1)}</tool_call>`,
    `<tool_call>${lsJson}}</tool_call>`,
    `<tool_call>${lsJson} and more`,
    '<tool_call>{"name":"Bash","arguments":{"command":"ls",}}</tool_call>',
    '<tool_call>{"name":"Bash","arguments":["ls"]}</tool_call>',
    '<tool_call>{"name":"Bash","arguments":"ls"}</tool_call>',
    '<tool_call>{"name":"Bash","command":"ls"}</tool_call>',
    '<tool_call>{"name":"Bash","arguments":{},"parameters":{}}</tool_call>',
    "<tool_call>Bash<arg_key>command</arg_key><arg_value>ls</arg_value>",
    "<tool_call>Bash<arg_key>command</arg_key><arg_value>a</arg_value><arg_key>command</arg_key><arg_value>b</arg_value></tool_call>",
    "<function=Bash>\n<parameter=command>\nls\n</parameter>\n",
    "<function=Bash>\n<parameter=command>\nls\n</function>\n",
    "<function=Bash><parameter=command>a</parameter><parameter=command>b</parameter></function>",
    `<function=Bash>{"command":"ls",}</function>`,
    `<tool_call>${lsFunction}<function=Bash>`,
    `<|tool_calls_section_begin|>${kimiCall("Bash:0", '{"command":"ls"}')}<|tool_call_begin|>Bash:1<|tool`,
    kimiCall("Bash:0", "ls"),
    '[TOOL_CALLS]Bash[ARGS]{"command":',
    "[TOOL_CALLS]Bash[ARGS][1]",
    dsml('<invoke name="Bash"><parameter name="command" string="false">ls</parameter></invoke>'),
    v31Call("Bash", "{'command': 'ls'}"),
  ],
}

describe.each(Object.entries(unchanged))("text that stays text: %s", (_, texts) => {
  test.each(texts.map((text) => [text]))("%j", (text) => {
    expectPieces(text, text === "" ? [] : [text])
  })
})

const aCall = `<tool_call>${lsJson}</tool_call>`
const another = `<tool_call>${pwdJson}</tool_call>`

describe("a call's place decides whether it is meant", () => {
  test.each<readonly [string, string]>([
    ["in mid-sentence", `You would write ${aCall} to list the files.`],
    ["in mid-sentence, at the end", `You would write ${aCall}`],
    ["behind a comma", `For a list, ${aCall}`],
    ["in a quotation", `Look:\n> ${aCall}\n> ${lsFunction}\n`],
    ["in a quotation, behind words", `> I said: ${aCall}`],
    ["in a table", `| call |\n| ${aCall} |\n| ${aCall}`],
    ["in a list", `- ${aCall}\n2. ${another}\n* ${lsInvoke}`],
    ["in quotation marks", `Write "${aCall}`],
    ["in brackets", `It is a call (${aCall}`],
    ["followed by words", `${aCall} is how it looks.`],
    ["followed by words, on its own line", `So:\n  ${aCall}  is how it looks.\n`],
    ["followed by a full stop", `${aCall}.`],
    ["two of them", `${aCall} and ${another}`],
    ["two of them, then words", `${aCall}${another} are two.`],
    ["followed by a tag, then words", `${aCall}</tool_call><|im_end|> and so on`],
    ["followed by a mention", `${aCall} <tool_call> is the tag.`],
    ["followed by code", `${aCall} \`<tool_call>\``],
    ["a function among words", `Then ${lsFunction} runs.`],
    ["an invocation among words", `Then <function_calls>${lsInvoke}</function_calls> runs.`],
    ["LM Studio's marks among words", `Use [TOOL_REQUEST]${lsJson}[END_TOOL_REQUEST] for it.`],
    ["a call with tags inside", `You would write <tool_call>\n${lsFunction}\n</tool_call> here.`],
    ["behind words, then words", `The format:${aCall}\n\nThat is all.`],
    ["behind words, after an example", `First: ${aCall}. Second: ${another}`],
    [
      "behind words, then what cannot be read",
      `So.${aCall}<tool_call>{"name":"Bash","arguments":{,}}</tool_call>`,
    ],
    ["spaces kept", `  a  ${aCall}  b \n\n c ${aCall}\t\n d`],
  ])("no call: %s", (_, text) => expectPieces(text, [text]))

  test.each<readonly [string, string, readonly Out[]]>([
    ["at the end of a sentence", `Let me look.${aCall}`, ["Let me look.", ls]],
    ["with a space between", `Let me look: ${aCall}\n\n`, ["Let me look: ", ls]],
    ["glued to a word", `Let me look${aCall}`, ["Let me look", ls]],
    ["several", `So.${aCall}${another}\n${lsFunction}\n`, ["So.", ls, pwd, ls]],
    ["then its token", `So.${aCall}</tool_call><|im_end|>`, ["So.", ls]],
    ["then a cut call", `So.${aCall}\n<tool_call>{"name":"Ba`, ["So.", ls, '<tool_call>{"name":"Ba']],
    [
      "then a call of tokens",
      `So.${aCall}${kimiCall("Bash", "{}")} Done.`,
      ["So.", ls, ["Bash", {}], "Done."],
    ],
    ["on its own line", `So:\n \t${aCall} \r\n\r\nDone.`, ["So:\n \t", ls, "Done."]],
    ["its own line, then a token and words", `${aCall}</s>\nDone.`, [ls, "Done."]],
    ["its own line, then what cannot be read", `${aCall}<tool_call>no`, [ls, "<tool_call>no"]],
    ["behind the end of thinking", `Hm.</think>${aCall}\nDone.`, ["Hm.</think>", ls, "Done."]],
    ["behind a tag that opens", `<tool_call>${aCall}\nDone.`, ["<tool_call>", ls, "Done."]],
    [
      "a line of calls behind words, then a line of its own, then words",
      `So:${aCall}\n${another}\n So.`,
      [`So:${aCall}\n`, pwd, "So."],
    ],
    [
      "an example, then a call",
      `Such a ${aCall} is a call.\n\n${another}\n`,
      [`Such a ${aCall} is a call.\n\n`, pwd],
    ],
    ["behind a call, in its line", `${kimiCall("Bash", "{}")} ${aCall}\nDone.`, [["Bash", {}], ls, "Done."]],
    ["tokens, wherever they stand", `> a ${kimiCall("Bash", "{}")} b`, ["> a ", ["Bash", {}], "b"]],
  ])("a call: %s", (_, text, expected) => expectPieces(text, expected))
})

describe("a reply that was cut, so that nobody knows what would have followed", () => {
  const cut = (text: string): readonly Out[] => {
    const [state, pieces] = readTextCalls(initialTextCalls(offered, schemas), text)
    return plain([...pieces, ...flushTextCalls(state, "unknown")[1]])
  }

  test.each([
    [lsJson],
    [`\`\`\`json\n${lsJson}`],
    [`\`\`\`json\n${lsJson}\n\`\`\``],
    [`I look. <tool_call>${lsJson}</tool_call>`],
    [`I look. <tool_call>${lsJson}`],
  ])("it may be an example: %j", (text) => expect(cut(text)).toEqual([text]))

  test.each([
    [`I look.\n<tool_call>${lsJson}</tool_call>`],
    [`I look.\n<tool_call>${lsJson}`],
    [`I look.\n[TOOL_CALLS][${lsJson}]`],
  ])("it begins its line, or is made of tokens: %j", (text) => expect(cut(text)).toEqual(["I look.\n", ls]))
})

describe("text and calls side by side", () => {
  test.each<readonly [string, readonly Out[]]>([
    // What cannot be read is text; what is not in it may still be a call.
    [`The <tool_call> tag: <tool_call>${lsJson}</tool_call>`, ["The <tool_call> tag: ", ls]],
    [`<tool_call> <tool_call>${lsJson}</tool_call>`, ["<tool_call> ", ls]],
    [
      `<tool_call>{"name":"Bash","arguments":{,}}</tool_call>\n<tool_call>${lsJson}</tool_call>`,
      ['<tool_call>{"name":"Bash","arguments":{,}}</tool_call>\n', ls],
    ],
    [
      `<tool_call>${lsJson}}</tool_call><tool_call>${pwdJson}</tool_call>`,
      [`<tool_call>${lsJson}}</tool_call>`, pwd],
    ],
    [`\`\`\`\nx\n\`\`\`\n<tool_call>${lsJson}</tool_call>`, ["```\nx\n```\n", ls]],
    [`An odd \` mark.\n\n<tool_call>${lsJson}</tool_call>`, ["An odd ` mark.\n\n", ls]],
    [`\`a\` <tool_call>${lsJson}</tool_call>`, ["`a` ", ls]],
    [`\`\`\`a\`\`\` <tool_call>${lsJson}</tool_call>`, ["```a``` ", ls]],
    [`~~no~~ <tool_call>${lsJson}</tool_call>`, ["~~no~~ ", ls]],
    // What stands in a fence was shown, and the one behind it is made: not both.
    [
      `\`\`\`json\n${lsJson}\n\`\`\`\n\n<tool_call>${lsJson}</tool_call>`,
      [`\`\`\`json\n${lsJson}\n\`\`\`\n\n`, ls],
    ],
    [
      `\`\`\`json\n${lsJson}\n\`\`\`\n\n<tool_call>${lsJson}</tool_call>\n<tool_call>${pwdJson}</tool_call>`,
      [`\`\`\`json\n${lsJson}\n\`\`\`\n\n`, ls, pwd],
    ],
    // A fence in text that was held and released counts as well.
    [
      `<tool_call>{"name":"no",\n\`\`\`\n"a":1}</tool_call> <tool_call>${lsJson}</tool_call>`,
      [`<tool_call>{"name":"no",\n\`\`\`\n"a":1}</tool_call> <tool_call>${lsJson}</tool_call>`],
    ],
    // A file about calls, being written: which tag closes what is a guess, and its examples are no calls.
    [
      `<function=Write>\n<parameter=content>\nUse\n${lsFunction}\nor\n${lsFunction}\n</parameter>\n</function>`,
      [
        `<function=Write>\n<parameter=content>\nUse\n${lsFunction}\nor\n${lsFunction}\n</parameter>\n</function>`,
      ],
    ],
    [`${lsFunction} <tool`, [ls, "<tool"]],
  ])("%j", expectPieces)

  test("a flush ends what was open, and the next text begins anew", () => {
    const start = initialTextCalls(offered, schemas)
    const [held] = readTextCalls(start, "```\n")
    const [inSection] = readTextCalls(flushTextCalls(held)[0], `<tool_call>${lsJson}`)
    const [flushed, pieces] = flushTextCalls(inSection)
    expect(plain(pieces)).toEqual([ls])
    expect(flushed).toEqual(start)
  })

  test("no more is held than may still become a tag", () => {
    const start = initialTextCalls(offered, schemas)
    expect(readTextCalls(start, "a <")[1]).toEqual([{ kind: "text", text: "a " }])
    expect(readTextCalls(start, "a [TOOL_CA")[1]).toEqual([{ kind: "text", text: "a " }])
    expect(readTextCalls(start, "a [x")[1]).toEqual([{ kind: "text", text: "a [x" }])
    expect(readTextCalls(start, "a <div")[1]).toEqual([{ kind: "text", text: "a <div" }])
    expect(readTextCalls(start, "`<")[1]).toEqual([{ kind: "text", text: "`<" }])
    expect(readTextCalls(start, `<tool_call>${lsJson}</tool_call>\n`)[1]).toHaveLength(1)
    expect(readTextCalls(start, `Hm. <tool_call>${lsJson}</tool_call>\n`)[1]).toHaveLength(1)
    expect(readTextCalls(start, `So. ${kimiCall("Bash:0", "{}")}x`)[1]).toHaveLength(3)
  })

  test("with no tools nothing is ever held", () => {
    const start = initialTextCalls(new Set(), schemas)
    expect(readTextCalls(start, " <tool_call>")).toEqual([start, [{ kind: "text", text: " <tool_call>" }]])
  })
})

describe("text that only begins like a call", () => {
  const long = "And so on. ".repeat(20)

  test.each([
    "[Note (it's new)] ",
    "[Read (it's new)](a) ",
    "[Read (see below) ",
    '{"name": "a-package", "arguments": {"a": ',
    "The <|tool_call_start|> token. ",
    "The <|python_start|> token. ",
  ])("%s is not held to the end of the reply", (begin) => {
    let state = initialTextCalls(offered, schemas)
    let said = ""
    for (const char of begin + long) {
      const [next, pieces] = readTextCalls(state, char)
      state = next
      for (const piece of pieces) said += piece.kind === "text" ? piece.text : ""
    }
    expect(said).toBe(begin + long)
  })

  test("is no reason to miss the call behind it", () => {
    expectPieces(`[Read (lines 1-2): so.]\n<tool_call>${lsJson}</tool_call>`, [
      "[Read (lines 1-2): so.]\n",
      ls,
    ])
    expectPieces(`[Read(path='a')?]\n<tool_call>${lsJson}</tool_call>`, ["[Read(path='a')?]\n", ls])
  })
})

describe("the table of dialects", () => {
  test("each step leads to one that exists", () => {
    const targets = [...steps.values()].flatMap((step) =>
      step.kind === "choice" ? [...step.options.map(({ next }) => next), step.otherwise ?? end] : [step.next],
    )
    const missing = [...targets, ...[...openers, ...bareOpeners].map(({ next }) => next)].filter(
      (to) => to !== end && !steps.has(to),
    )
    expect(missing).toEqual([])
  })

  test("each step is reached, and closing tags have their first character only once", () => {
    const reached = new Set([...openers, ...bareOpeners].map(({ next }) => next))
    for (const name of reached) {
      const step = steps.get(name)
      if (step?.kind === "value") expect(step.until.lastIndexOf(step.until.charAt(0))).toBe(0)
      const next = step?.kind === "choice" ? step.options.map((option) => option.next) : [step?.next ?? end]
      if (step?.kind === "choice") next.push(step.otherwise ?? end)
      for (const to of next) reached.add(to)
    }
    expect([...steps.keys()].filter((name) => !reached.has(name))).toEqual([])
  })
})

const fragments = [
  ...openers.map(({ literal }) => literal),
  ...["</tool_call>", "</function>", "<parameter=command>", "</parameter>", "</invoke>", "<arg_key>", "Bash"],
  ...[
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "[ARGS]",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
  ],
  ...[
    "<｜tool▁sep｜>",
    "<｜tool▁call▁end｜>",
    '<parameter name="a">',
    '">',
    ">",
    lsJson,
    '{"a":1}',
    "{",
    "}",
  ],
  ...["[Bash(command='ls')]", "(", ")", "'", "<|call|>", "<|message|>", "<tool_call|>", "call:", ";"],
  ...[mark, marked(lsTag), "</invoke>", "<command>", "]", '[TOOL_CALL]{tool => "Bash", args => {'],
  ...["`", "```", "```json\n", "~~~", "\n", "\n\n", " ", "x", "<", "[", '"', "é漢🎯", lsFunction, lsInvoke],
]

function randomText(random: Random): string {
  return Array.from({ length: random.integer(0, 14) }, () => random.pick(fragments)).join("")
}

function cutText(random: Random, text: string): readonly string[] {
  const pieces: string[] = []
  const most = random.pick([1, 4, 30])
  for (let at = 0; at < text.length; ) {
    const to = at + random.integer(1, most)
    pieces.push(text.slice(at, to))
    at = to
  }
  return pieces
}

const textOf = (pieces: readonly TextPiece[]): string =>
  pieces.map((piece) => (piece.kind === "text" ? piece.text : "")).join("")

property("any cut gives the same pieces", 4_000, (random) => {
  const text = randomText(random)
  expect(read(cutText(random, text))).toEqual(read([text]))
})

property("where no call is made, the text is the same", 4_000, (random) => {
  const text = randomText(random)
  expect(textOf(readAll(cutText(random, text), new Set(["Nothing"])))).toBe(text)
  expect(textOf(readAll(cutText(random, text), new Set()))).toBe(text)
})

property("what comes out is in the text, in order", 2_000, (random) => {
  const text = randomText(random)
  let at = 0
  for (const piece of readAll(cutText(random, text))) {
    const words = piece.kind === "text" ? piece.text.trimEnd() : piece.call.name
    const found = text.indexOf(words, at)
    expect(found).toBeGreaterThanOrEqual(at)
    at = found + words.length
  }
})

property("random text around a call stays whole", 1_000, (random) => {
  const words = () =>
    random
      .text(20)
      .replaceAll(/[<[`~>|]/g, "")
      .trim() || "w"
  const [before, after] = [words(), words()]
  const call = `<tool_call>${lsJson}</tool_call>`
  const inside = `${before} ${call} ${after}`
  expect(read(cutText(random, inside))).toEqual([inside])
  expect(read(cutText(random, `${before}\n${call}\n${after}`))).toEqual([`${before}\n`, ls, after])
  expect(read(cutText(random, `${before}x.${call}\n`))).toEqual([`${before}x.`, ls])
})

describe("hostile lengths", () => {
  const filled = (unit: string, size = 200_000): string => unit.repeat(Math.ceil(size / unit.length))

  test.each<readonly [string, string]>([
    ["a value", `<function=Write><parameter=content>${filled("ab < c\n", 1_048_000)}`],
    ["a string", `<tool_call>{"name":"Write","arguments":{"content":"${filled("ab \\n", 1_048_000)}`],
    ["brackets", `[TOOL_CALLS]${filled("[")}`],
    ["white space in a section", `<tool_call>${filled("\n")}`],
    ["white space", filled("\n ")],
    ["opening characters", filled("<")],
    ["mentions", filled("<tool_call>")],
    ["mentions, spaced", filled("<function_calls>\n<function=x> ")],
    ["words", filled(`<tool_call>${"a".repeat(250)}`)],
    ["backticks", filled("` `` ``` <tool_call>")],
    ["unknown calls", filled('<tool_call>{"name":"x"}</tool_call>\n')],
    ["examples", filled(`a ${aCall} b `)],
    ["calls behind words, then words", `So:${filled(aCall)}\n${filled(`${aCall} ${aCall}`)} and so on`],
    ["a line that never ends", `${filled("a ")}${filled("<tool_call> a ")}`],
    ["white space behind a call", `a ${aCall}${filled(" \n")}x`],
    ["tokens behind a call", `a.${aCall}${filled("<|a|>")}x`],
    ["marked tags", `${mark}<invoke name="Bash">${filled(`${mark}<a>`)}`],
    ["marks", filled(mark)],
    ["flags", `[TOOL_CALL]{tool => "Bash", args => {${filled(" --a 1")}`],
    ["fences", filled("```json\n{")],
    ["parameters", `<function=Bash>${filled("<parameter=a>1</parameter>")}`],
  ])("linear time: %s", (_, text) => {
    for (const chunks of [[text], [...text]]) {
      const started = performance.now()
      expect(textOf(readAll(chunks))).toBe(text)
      expect(performance.now() - started).toBeLessThan(2_000)
    }
  })

  test("many elements of one name", () => {
    const text = `<tool_call><invoke name="Bash">${filled("<a>1</a>", 400_000)}</invoke></tool_call>`
    const started = performance.now()
    expect(readAll([text]).map(({ kind }) => kind)).toEqual(["call"])
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test("elements nested deeper than anything a tool takes are text", () => {
    const text = marked(`<invoke name="Bash">${"<a>".repeat(15_000)}${"</a>".repeat(15_000)}</invoke>`)
    expect(textOf(readAll([text]))).toBe(text)
  })

  test("many calls in one chunk", () => {
    const started = performance.now()
    const pieces = readAll([filled(`<tool_call>${lsJson}</tool_call>\n`, 1_000_000)])
    expect(pieces.length).toBeGreaterThan(10_000)
    expect(pieces.every(({ kind }) => kind === "call")).toBe(true)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test("many calls that wait for the end", () => {
    const started = performance.now()
    const pieces = readAll([...`So.${filled(`${aCall}\n`)}${filled(aCall)}`])
    expect(textOf(pieces)).toBe("So.")
    expect(pieces.length).toBeGreaterThan(5_000)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test.each([["x".repeat(2_000_000)], ["x".repeat(1_048_540)]])(
    "what is too long is text, whole or cut",
    (long) => {
      const text = `<function=Write><parameter=content>${long}</parameter></function>${lsFunction}`
      expect(textOf(readAll([text]))).toBe(text)
      expect(textOf(readAll(text.match(/.{1,5000}|\n/g) ?? []))).toBe(text)
    },
  )

  test("nesting deeper than can be written again is text", () => {
    const text = `<tool_call>{"name":"Bash","arguments":{"a":${"[".repeat(400_000)}${"]".repeat(400_000)}}}</tool_call>`
    const pieces = readAll([text])
    expect(pieces.map(({ kind }) => kind)).toEqual([pieces[0]?.kind ?? "text"])
  })
})
