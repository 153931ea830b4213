// What tells the kind of a task in Chinese, where words have no spaces between them.
import { making, parts, type Rule } from "./rule.ts"

const programScript = "(?<!视频|拍摄|直播|分镜|口播|电影)脚本"
const program = "(?<!法律|审批|诉讼|司法|办理|正当|手续)程序(?!员|猿|正义)"
const proof = "(?<!在职|收入|离职|身份|工作|实习|单身|存款)证明(?!信|书|材料|文件)"
// Points on a card are called what an integral is called.
const integral = "(?<!信用卡|会员|购物|消费|我的)积分(?!兑|商城|卡|墙|活动|怎么|有什么|换|过期|规则)"
const comparison =
  "比较(?!好|大|小|多|少|难|容易|忙|喜欢|累|贵|便宜|快|慢|高|低|简单|复杂|重要|适合|合适|冷|热|方便|近|远|懒|急)"
const mathFunction =
  "(?:[一二]次|三角|指数|对数|反比例|幂)函数|函数.{0,12}(?:单调|极值|极大|极小|定义域|值域|零点|导数|最大值|最小值|奇偶)"

const codeNouns = [
  `函数|${programScript}|${program}|小程序|代码(?!质量)|接口|组件|爬虫|正则|(?<!性格|心理|智商)测试|算法|二分查找|网页|网站`,
  "插件|页面|登录功能|类(?=[,，。\\s]|$)|sql|python|javascript|typescript|java|golang|rust|c\\+\\+|api|sdk|app",
  "排序|二叉树|链表|数据库|bot|按钮|(?:小|网页|贪吃蛇|俄罗斯方块|扫雷|五子棋)游戏",
].join("|")

const creativeNouns = [
  "诗(?!歌)|诗歌|歌(?!词|曲)|歌词|故事|小说|散文|童话|寓言|剧本|台词|文案|广告语|口号|标语|对联|祝福(?!语)|祝福语|贺词|情书|作文|演讲稿|发言稿",
  "段子|笑话|俳句|信(?!息|号|用)|邮件|日记|文章|推文|贺卡|名字|标题|春联|朋友圈|小红书|(?:短?视频|拍摄|直播|分镜|口播|电影)脚本|歌曲",
].join("|")

// The noun that is wanted is not the one that only describes it: a story's title, a poem's generator.
const notHead = "(?!的|为|生成器|管理|系统|网站|数据库|接口|组件|类|应用|爬虫|解析|播放|页面|网页|小程序)"

/** In the clause of the verb; what stands between "about" and the particle is no wanted thing. */
export const chineseMaking = making(
  "(?:写(?!的|过|了)|创作|编(?:写|一|个)|作(?:一|首|诗)|讲(?:一|个)|续写|改写|生成|拟(?:一|写)|设计|实现|开发|做(?:一|个)|制作|构思|来(?:一|首|个|段|篇)|想(?:一|个|几|出))" +
    "(?:[^，。！？；,.!?;\\n]{0,6}?关于[^的，。！？\\n]{1,24}的)?[^，。！？；,.!?;\\n]{0,24}?",
  {
    creative: `(?:${creativeNouns})${notHead}`,
    code: `(?:${codeNouns})${notHead}`,
    reasoning: proof,
    analysis: "(?:报告|分析|评估|总结|对比|综述|评价)",
  },
)

const workedOn = [
  "按钮|页面|登录|接口|测试|端口|配置|字段|组件|样式|日志|数据库|依赖|构建|代码|报错|模块|表单|弹窗|缓存|分支",
  "导航栏|深色模式|单测|查询|版本|功能|项目|注释|bug",
].join("|")

const changing = "加|添加|增加|新增|修改|改|删除?|删掉|修复|修|优化|跑|运行|部署|更新|升级|换|检查|合并|拆分"

const targets = "python|javascript|java|go|rust|c\\+\\+|typescript|kotlin|swift"
const languageNames = "(?:[英中法德日韩俄]|西班牙|意大利)[语文]"

const code: readonly Rule[] = [
  ...parts("code", 5, [`(?:翻译|转|改|移植|重写|改写)(?:换?成|为|到|换为) ?(?:${targets})`]),
  ...parts("code", 3, [
    "报错|调试|重构|编译|单元测试|单测|正则|爬虫|代码审查|源代?码|合并冲突|空指针|内存泄[漏露]|死锁|栈溢出|抽成|类型错误",
    "命令行|前端|后端|数据结构|二叉树|链表|快速排序|冒泡排序|二分查找|哈希表|编程题|力扣|提交(?:代码|到)",
    `(?:${changing})[^，。！？,.!?\n]{0,10}?(?:${workedOn})`,
    `(?:${workedOn})[^，。！？,.!?\n]{0,10}?(?:改成|改为|换成|去掉|删掉|失败|不工作|没反应|挂了)`,
  ]),
  ...parts("code", 2, [
    `代码|算法|数据库|编程|接口|部署|${programScript}|变量|数组|线程|组件|函数|注释|端口|错误信息|命名空间|驼峰`,
    "[\u4e00-\u9fff] ?bug|bug ?[\u4e00-\u9fff]",
  ]),
  ...parts("code", 1.5, [program]),
  ...parts("code", 1, ["服务器|项目|升级|框架|软件|模块|崩溃|修复|字符串|循环|依赖"]),
]

const reasoning: readonly Rule[] = [
  ...parts("reasoning", 4, [
    `${proof}|${integral}|求导|导数|微分(?!销)|方程(?!式赛)|定理|因式分解|鸡兔同笼|不等式`,
    `概率|排列组合|质数|素数|公约数|公倍数|勾股|逻辑题|推理题|应用题|奥数|几何题|数列|${mathFunction}`,
  ]),
  ...parts("reasoning", 2.5, [
    "极限(?!运动|挑战)|矩阵|计算(?!机)|推导|推理(?!小说|剧|游戏)|求解|平方根|开方|之和|的和(?![^，。]{0,3}平)|余数|等于(?:几|多少)",
    "谁在说谎|谁说的是真|求出|求[xyzabn]\\b|解下列|一步一?步(?:推|算|想|思考)|悖论",
  ]),
  ...parts("reasoning", 2, ["数学|逻辑(?!抽)|百分之"]),
]

const analysis: readonly Rule[] = [
  ...parts("analysis", 3, [
    `分析|对比|评估|评价|优缺点|优劣|利弊|区别|差异|异同|权衡|审查|点评|总结|归纳|${comparison}`,
    "可行性|解读|剖析|哪个(?:更好|好)|还是.{1,20}(?:更好|好呢|好[?？]|更合适)|评审",
  ]),
  ...parts("analysis", 2, ["为什么|为何|为啥|原因|解释|怎么看待|风险|意味着|有什么影响|的影响"]),
]

const creative: readonly Rule[] = [
  ...parts("creative", 4, [
    "一首(?:诗|歌|小诗)|[作写]诗|续写|编故事|讲个?(?:故事|笑话)|歌词|文案|口号|广告语|标语|情书|对联|春联|藏头诗",
    "[五七]言(?:绝句|律诗)|绝句|段子|情话|剧本|角色扮演|头脑风暴|祝福语",
    "[起取](?:个|一个|几个)[^，。,\n]{0,6}?(?<!变量|函数|类|文件|分支)名|[起取]名字",
  ]),
  ...parts("creative", 2, ["小说|散文|诗歌|童话|故事|诗词"]),
]

const chat: readonly Rule[] = [
  ...parts("chat", 4, [
    "翻译|译成",
    `(?:翻译|译)(?:成|为|到)?.{0,4}${languageNames}|${languageNames}(?:怎么说|怎么写)`,
  ]),
  ...parts("chat", 3, ["推荐.{0,20}(?:书|电影|餐厅|歌|剧|酒店|小说)"]),
  ...parts("chat", 2.5, ["是谁|谁[写发画导]|作者是|首都|哪一?年|什么时候|在哪[里儿]|天气|几点|你叫什么"]),
]

/** Everything that Chinese words say of a task. */
export const chinese: readonly Rule[] = [...code, ...reasoning, ...analysis, ...creative, ...chat]
