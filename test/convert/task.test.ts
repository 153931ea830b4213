// The kind of task, from the user's last words alone.
import { describe, expect, test } from "bun:test"
import type { Task } from "../../src/convert/task/rule.ts"
import { classifyTask, taskOf } from "../../src/convert/task/task.ts"
import { lastUserWords } from "../../src/convert/task/user-words.ts"
import { property } from "../support/random.ts"
import { ask, assistant, call, parse, result, text, user } from "./request-support.ts"

const examples: Readonly<Record<Task, readonly string[]>> = {
  code: [
    "Fix the failing tests in the parser",
    "Add a dark mode toggle to the settings page",
    "why does src/server/session.ts leak file handles?",
    "Implement quicksort in Rust",
    "Write a Python script that generates haikus",
    "Write a function that counts the words of a story",
    "Build a web app where users can write and share poems",
    "Write unit tests for the poem generator",
    "Rewrite this in TypeScript",
    "Translate this Python function to Go",
    "npm run build exits with code 1",
    "What does `Array.prototype.reduce` do?",
    "TypeError: Cannot read properties of undefined (reading 'map')\n    at render (app.tsx:12:5)",
    "Explain this:\n```ts\nexport const a = (b: number) => b + 1\n```",
    "def add(a, b):\n    return a - b\n\nThis gives wrong results.",
    "SELECT name FROM users WHERE id = 3 is slow, why?",
    "commit this and push to main",
    "Create an email validator component",
    "Make the button blue",
    "rename getUserName to fetchUserName everywhere",
    "Thanks for the review! Now fix the lint warnings.",
    "The useEffect hook runs twice in my React app",
    "write a user story class with a title field",
    "Debug why the docker container crashes on startup",
    "Design a database schema for a blog",
    "review the changes in @src/auth/login.py",
    "用 Python 写一个快速排序",
    "写一个生成诗歌的函数",
    "写代码发送邮件",
    "写一个故事生成器的网页",
    "为什么我的代码一直报错?",
    "帮我重构这个模块,太乱了",
    "把登录按钮改成蓝色",
    "跑一下测试",
    "这个接口返回 500,帮我看看",
    "给 src/utils/date.ts 补充单元测试",
    "做一个贪吃蛇游戏",
    "把这段 Java 代码翻译成 Python",
    "数据库连接总是超时,怎么调试",
    "实现一个 LRU 缓存算法",
    "解释一下 git rebase 和 git merge 报错的处理",
    "main.go 里的死锁怎么解决",
  ],
  reasoning: [
    "Prove that the square root of 2 is irrational",
    "Solve for x: 3x + 5 = 20",
    "What is 15 * 17?",
    "What is the integral of x^2 sin(x)?",
    "Find the derivative of f(x) = x^3 - 2x",
    "A train leaves at 60 km/h and another at 80 km/h. How long until they are 280 km apart?",
    "How many apples are left if Tom has 12 and gives away five?",
    "What is the probability of rolling two sixes?",
    "If all bloops are razzies and all razzies are lazzies, are all bloops lazzies?",
    "Three people each say one sentence and only one tells the truth. Who is lying?",
    "Write a proof that there are infinitely many primes",
    "Solve this riddle: what has keys but opens no locks?",
    "Solve the quadratic equation x² - 5x + 6 = 0",
    "Show step by step how to calculate 18% of 250",
    "证明根号2是无理数",
    "求函数 y = x^2 的导数",
    "计算定积分 ∫ x dx",
    "解方程 2x + 3 = 11",
    "鸡兔同笼,共有35个头,94只脚,鸡和兔各多少只?",
    "掷两个骰子,点数之和为7的概率是多少",
    "二次函数的最大值怎么求",
    "甲说乙在说谎,乙说丙在说谎,谁在说谎?",
    "小明有12个苹果,给了小红5个,还剩几个?",
    "1+1等于几",
    "写一个勾股定理的证明",
    "这道逻辑题一步一步推理一下",
  ],
  analysis: [
    "Compare React and Vue for a small team",
    "Analyse the causes of the French Revolution",
    "Why is the sky blue?",
    "What are the pros and cons of remote work?",
    "Evaluate this business plan critically",
    "Summarize the attached meeting notes",
    "What is the difference between a virus and a bacterium?",
    "Should I rent a flat or buy a house?",
    "Explain why inflation rose in 2022",
    "Write an analysis of the novel's main character",
    "Write a report on the electric car market",
    "Review my essay and give feedback",
    "Explain the trade-offs of nuclear power",
    "What were the consequences of the war?",
    "分析一下这家公司的竞争优势",
    "比较一下北京和上海的生活成本",
    "远程办公的利弊有哪些?",
    "为什么天空是蓝色的?",
    "评估这个方案的可行性",
    "猫和狗有什么区别",
    "总结这篇文章的主要观点",
    "写一份新能源汽车市场的分析报告",
    "通货膨胀的原因是什么",
    "租房还是买房更合适?",
  ],
  creative: [
    "Write a poem about the sea",
    "Write a story about a function that wanted to be a class",
    "Write a poem about debugging my React app",
    "Tell me a joke",
    "Give me a slogan for my coffee shop",
    "Compose a love letter to my wife",
    "Write a script for a short film about two brothers",
    "write a movie script with a twist",
    "Draft a short toast for my sister's wedding",
    "Continue the story: the dragon opened one eye",
    "Brainstorm names for a cat café",
    "Write an essay about my grandmother's kitchen",
    "Create a haiku, please",
    "Improve this poem:\n```\nRoses are red\nviolets are blue\n```",
    "写一首关于春天的诗",
    "写一个关于程序员的故事",
    "写一个关于函数的故事",
    "写一首以代码为主题的诗",
    "写一篇关于代码质量的文章",
    "给我讲个笑话",
    "帮奶茶店想一句广告语",
    "续写这个童话:从前有一只狐狸",
    "写一个短视频脚本,主题是露营",
    "给我的猫取个名字",
    "写一篇推理小说的开头",
    "帮我写一封情书",
  ],
  chat: [
    "Hi!",
    "Thanks, that is all for today.",
    "Thank you so much for the analysis!",
    "How are you doing?",
    "What is the capital of France?",
    "Book me a first class ticket to Rome",
    "Who wrote the poem The Raven?",
    "Translate 'good morning' into Japanese",
    "Translate this poem into French",
    "There is a bug in my bed",
    "What is the dress code for a wedding?",
    "Recommend a good movie for tonight",
    "I get off the bus at this branch of the library",
    "How did she react?",
    "How do I remove rust from my bike?",
    "My pet python snake is hungry",
    "Wait 5 - 10 minutes, then stir",
    "See you on 2026-11-24 at 10:30",
    "That was an act of terror",
    "Music is an integral part of my life",
    "",
    "   \n\t ",
    "😀😀😀",
    "你好",
    "谢谢你的分析",
    "你是谁?",
    "今天天气怎么样",
    "法国的首都是哪里",
    "把“早上好”翻译成英文",
    "把下面这段话翻译成英文:函数返回数组的第一个元素",
    "这本小说的作者是谁",
    "我比较喜欢喝茶",
    "信用卡积分怎么兑换",
    "在职证明在哪里开",
    "我昨天看了方程式赛车",
    "我妈妈是程序员",
    "推荐几部好看的电影",
    "推荐一本关于 Python 的书",
    "苹果用日语怎么说",
    "我们学校换了新计算机",
  ],
}

describe.each<Task>(["code", "reasoning", "analysis", "creative", "chat"])("%s", (task) => {
  test.each(examples[task])("%j", (words) => {
    expect(classifyTask(words)).toBe(task)
  })
})

test("there are examples enough, in both languages", () => {
  const all = Object.values(examples).flat()
  const chinese = all.filter((words) => /\p{Script=Han}/u.test(words))
  expect([all.length >= 60, chinese.length * 5 >= all.length * 2]).toEqual([true, true])
})

describe("the user's own words", () => {
  const reminder = "<system-reminder>\nRefactor every function of main.ts.\n</system-reminder>"
  const calls = [assistant(call("a")), user(result("a", "Traceback (most recent call last)"))]
  const poem = user(text("Write a poem"))
  const loaded = user(result("b"), text("Tool loaded."))
  test.each<[string, readonly unknown[], string]>([
    ["a text", [{ role: "user", content: "hi" }], "hi"],
    ["the last message", [user(text("one")), assistant(text("x")), user(text("two"))], "two"],
    ["all blocks of it", [user(text("one"), text("two"))], "one\ntwo"],
    ["not a reminder", [user(text(reminder), text("hi"))], "hi"],
    ["nor one in the text", [user(text(`hi ${reminder} there`))], "hi  there"],
    ["not the assistant's", [poem, assistant(text("Fix the bug"))], "Write a poem"],
    ["not the system's", [poem, { role: "system", content: "Fix the bug" }], "Write a poem"],
    ["not a result", [poem, ...calls], "Write a poem"],
    ["nor many", [poem, ...calls, assistant(call("b")), user(result("b"))], "Write a poem"],
    ["nor one with a reminder", [poem, ...calls, user(result("c"), text(reminder))], "Write a poem"],
    ["nor what a client says beside it", [poem, assistant(call("b")), loaded], "Write a poem"],
    ["words after a result", [poem, assistant(call("a")), user(result("a"), text("Stop"))], "Stop"],
    ["words after an interruption", [user(text("[Request interrupted by user]"), text("Hm"))], "Hm"],
    [
      "arguments of a command",
      [user(text("<command-name>/x</command-name><command-args>a b</command-args>"))],
      "a b",
    ],
    [
      "no output of a command",
      [poem, user(text("<local-command-stdout>x</local-command-stdout>"))],
      "Write a poem",
    ],
    ["no request to go on", [poem, user(text("Output token limit hit. Resume directly"))], "Write a poem"],
    ["a tag that does not end", [user(text("<system-reminder> is a tag"))], "<system-reminder> is a tag"],
    ["a tag of the user's", [user(text("<b>hi</b>"))], "<b>hi</b>"],
    ["none", [user(result("a"))], ""],
    ["nothing but an image", [assistant(text("x"))], ""],
  ])("%s", (_name, messages, expected) => {
    expect(lastUserWords(parse(ask(messages)).messages)).toBe(expected)
  })

  test("tell one task for all requests of a tool loop", () => {
    const first = [user(text(reminder), text("Write a poem about the sea"))]
    const loops = [first, [...first, ...calls], [...first, ...calls, assistant(call("b")), loaded]]
    expect(loops.map((messages) => taskOf(parse(ask(messages)).messages)())).toEqual([
      ...(["creative", "creative", "creative"] as const),
    ])
  })

  test("are read once", () => {
    let reads = 0
    const [message] = parse(ask([poem])).messages
    if (message === undefined) throw new Error("no message")
    const { content } = message
    const counted = {
      ...message,
      get content() {
        reads++
        return content
      },
    }
    const task = taskOf([counted])
    expect([reads, task(), task(), reads]).toEqual([0, "creative", "creative", 1])
  })
})

describe("whatever the text", () => {
  test("of a long one the beginning and the end count", () => {
    const filler = "Nothing in here says anything. ".repeat(10_000)
    expect(classifyTask(`Fix the failing tests.\n${filler}`)).toBe("code")
    expect(classifyTask(`${filler}\nFix the failing tests.`)).toBe("code")
    expect(classifyTask(`${filler}\nFix the failing tests.\n${filler}`)).toBe("chat")
  })

  test.each([
    ...[
      "a",
      "a-",
      "a_",
      "Aa",
      "write a ",
      "1 ",
      "/a",
      " ",
      "\n  ",
      "```",
      "`",
      "写关于",
      "加改删",
      "函数 ",
      "f(a",
    ],
    ...[
      "if all ",
      "translate ",
      "SELECT ",
      "import a",
      "thanks for ",
      "http://",
      "what is 1",
      "\n at a.b",
      "add the ",
    ],
    ...["<system-reminder>", "<bash-input>", "</system-reminder>", "<command-args>", "cut off mid-stream. "],
  ])("%j a million times over takes no longer than its length", (piece) => {
    const content = piece.repeat(1_000_000 / piece.length)
    const { messages } = parse(ask([{ role: "user", content }]))
    const started = process.cpuUsage()
    const task = taskOf(messages)()
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1_000).toBeLessThan(1_000)
    expect(Object.keys(examples)).toContain(task)
  })

  property("some task comes out, the same every time", 300, (random) => {
    const pieces = Object.values(examples).flat()
    const given = Array.from({ length: random.integer(0, 5) }, () =>
      random.chance(0.5) ? random.pick(pieces) : random.text(40),
    ).join(random.pick([" ", "\n", "。", ""]))
    const task = classifyTask(given)
    expect(Object.keys(examples)).toContain(task)
    expect(classifyTask(given)).toBe(task)
    // Space around it says nothing.
    expect(classifyTask(`${given}\n`)).toBe(task)
  })
})
