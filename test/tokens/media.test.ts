import { describe, expect, test } from "bun:test"
import { imageTokens, pdfTokens, pixelSize } from "../../src/tokens/media.ts"

const base64 = (...bytes: readonly (number | readonly number[])[]): string =>
  Buffer.from(bytes.flat()).toString("base64")
const word = (value: number): readonly number[] => [value >> 8, value & 255]
const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0)

const png = (width: number, height: number): string =>
  base64(
    [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    [0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
    [0, 0, ...word(width), 0, 0, ...word(height)],
    [8, 6, 0, 0, 0],
  )

const start = [0xff, 0xd8]
const segment = (marker: number, body: readonly number[]): readonly number[] => [
  0xff,
  marker,
  ...word(body.length + 2),
  ...body,
]
const frame = (marker: number, width: number, height: number): readonly number[] =>
  segment(marker, [8, ...word(height), ...word(width), 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
const exif = segment(0xe1, zeros(40_000))
const tables = [...segment(0xdb, zeros(65)), ...segment(0xc4, zeros(29))]

const riff = [0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x45, 0x42, 0x50]
const chunk = (last: number): readonly number[] => [...riff, 0x56, 0x50, 0x38, last, 0, 0, 0, 0]

describe("pixelSize", () => {
  test.each([
    ["png", png(800, 600), 800, 600],
    ["gif", base64([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x40, 0x01, 0xf0, 0x00]), 320, 240],
    ["jpeg, baseline", base64(start, segment(0xe0, zeros(14)), frame(0xc0, 1024, 768), tables), 1024, 768],
    ["jpeg, progressive behind tables", base64(start, tables, frame(0xc2, 640, 480)), 640, 480],
    ["jpeg, 80 KB of metadata first", base64(start, exif, exif, frame(0xc0, 4000, 3000)), 4000, 3000],
    ["jpeg, fill bytes", base64(start, 0xff, 0xff, frame(0xc1, 50, 70)), 50, 70],
    ["webp, lossy", base64(chunk(0x20), [0, 0, 0, 0x9d, 0x01, 0x2a, 0x20, 0x03, 0x58, 0x02]), 800, 600],
    ["webp, lossless", base64(chunk(0x4c), [0x2f, 0x1f, 0xc3, 0x95, 0x00], zeros(4)), 800, 600],
    ["webp, extended", base64(chunk(0x58), zeros(4), [0x1f, 0x03, 0, 0x57, 0x02, 0]), 800, 600],
    ["a png cut off behind its header", png(800, 600).slice(0, 34), 800, 600],
    ["a jpeg cut off behind its frame", base64(start, exif, frame(0xc0, 640, 480)).slice(0, -8), 640, 480],
    [
      "a gif cut off",
      base64([0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x40, 0x01, 0xf0, 0x00]).slice(0, 14),
      320,
      240,
    ],
    ["a data: URL", `data:image/png;base64,${png(800, 600)}`, 800, 600],
    ["base64 in lines", (png(800, 600) + base64(zeros(300))).replace(/.{76}/g, "$&\r\n"), 800, 600],
    ["a jpeg in lines", base64(start, exif, frame(0xc0, 40, 30)).replace(/.{20}/g, "$&\n"), 40, 30],
    [
      "the alphabet for URLs",
      base64(start, frame(0xc0, 64, 63))
        .replaceAll("/", "_")
        .replaceAll("+", "-"),
      64,
      63,
    ],
    ["a png with rubbish behind its header", `${png(10, 20)}%%%💥`, 10, 20],
  ])("%s", (_, data, width, height) => {
    expect(pixelSize(data)).toEqual({ width, height })
  })

  test.each([
    ["nothing", ""],
    ["not an image", base64([1, 2, 3, 4, 5, 6, 7, 8])],
    ["not base64", "💥💥💥💥 ünïcode"],
    ["a png that ends early", png(800, 600).slice(0, 20)],
    ["a png of no width", png(0, 600)],
    ["a jpeg without a frame", base64(start, tables)],
    ["a jpeg whose segment claims no length", base64(start, [0xff, 0xe0, 0, 0], zeros(40))],
    [
      "a jpeg of fill bytes",
      base64(
        start,
        Array.from({ length: 600_000 }, () => 0xff),
      ),
    ],
  ])("%s has no size", (_, data) => {
    expect(pixelSize(data)).toBeUndefined()
  })
})

describe("tokens", () => {
  test.each([
    ["a small picture", png(300, 250), 100],
    ["a large picture", png(4000, 3000), 1600],
    ["a large but narrow one, scaled to 1568 pixels", png(100, 3136), 105],
    ["a full screen", png(1920, 1080), 1600],
    ["one of 1092 pixels square", png(1092, 1092), 1590],
    ["one pixel", png(1, 1), 1],
    ["an unreadable one", "AAAA", 1600],
    ["one that is elsewhere", undefined, 1600],
  ])("%s", (_, data, tokens) => {
    expect(imageTokens(data)).toBe(tokens)
  })

  test.each([
    [0, 2000],
    [66_000, 2000],
    [68_000, 4000],
    [90_000_000, 1_200_000],
  ])("a PDF of %d base64 characters", (length, tokens) => {
    expect(pdfTokens("A".repeat(length))).toBe(tokens)
  })
})
