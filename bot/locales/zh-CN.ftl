### 人们读到的文字，简体中文。

## 命令：名称是人们在斜杠后输入的内容

command-chat = 聊天
command-chat-about = 向模型提问，这里的所有人都能看到回答
command-solve = 解题
command-solve-about = 用程序一步步求解问题
command-article = 文章
command-article-about = 撰写一篇配图文章，之后可以编辑
command-ask = 提问
command-ask-about = 在新子区中提问；无法开子区时就在这里回答
command-thread = 子区
command-thread-about = 只在新子区中提问，绝不在频道里回答
command-about = 就此提问
command-explain = 讲解图片
command-solve-this = 求解这个问题
command-summarise = 从这里开始总结
command-settings = 设置
command-settings-about = 为本服务器或频道设置机器人
command-persona = 人设
command-persona-about = 查看或修改模型在本频道的人设
command-model = 模型
command-model-about = 查看正在运行的模型，或为本频道选择一个
command-tools = 工具
command-tools-about = 查看或选择模型在这里可以调用的工具
command-history = 记忆
command-history-about = 查看模型记住了这段对话的哪些内容
command-export = 导出
command-export-about = 以文件形式获取保存的关于你的全部数据
command-forget = 遗忘
command-forget-about = 删除保存的关于你的全部数据
command-status = 状态
command-status-about = 查看服务的状态
option-persona = 人设
option-persona-about = 用自己的话描述模型的身份；只写 - 则撤销
option-model = 模型
option-model-about = 本频道使用的模型；只写 - 则撤销
option-history-private-about = 查看你在这里的私密对话，而不是频道的对话
option-prompt = 问题
option-prompt-about = 你的问题，最多 6000 个字符
option-prompt-form = 你的问题。不填则打开表单，可写多行并附上最多十个文件
option-problem = 问题
option-problem-form = 方程、应用题、画图，或关于你的数据的问题。不填则打开表单
option-thinking = 思考
option-thinking-about = 模型回答前是否先写出思考过程；你可以查看
option-topic = 主题
option-topic-about = 文章的主题或要求；也可以附上文本作为依据
option-pictures = 图片数
option-pictures-about = 最多使用几张图片；不填则只用确实合适的图片
option-length = 篇幅
option-length-about = 文章的长短
option-language = 语言
option-language-about = 写作语言；不填则用主题所用的语言，或你自己的语言
option-seed = 种子
option-seed-about = 一个数字；相同的数字会再次得到相同的文章
option-file-source = 作为依据的文本或 PDF，或者可以用作配图的图片
length-short = 短
length-medium = 中等
length-long = 长
option-private = 私密
option-private-about = 只有你能看到回答，这是你自己的一段对话
option-reset-private-about = 重置你在这里的私密对话，而不是频道的对话
option-file = 文件
option-file2 = 文件2
option-file3 = 文件3
option-file-about = 文本、代码、CSV、JSON、PDF 或 Word 文件，或者图片
option-file-data = 题目的照片，或程序可以读取的数据，例如 CSV 文件
option-file-more = 再加一个文件
command-reset = 重置
command-reset-about = 让模型忘记本频道的对话
command-stop = 停止
command-stop-about = 停止正在本频道为你生成的回答
command-help = 帮助
command-help-about = 如何与模型对话

help-title = 与模型对话
help-text =
    使用 **/聊天** 提问，也可以提及我、回复我的消息，或者直接给我发私信。
    每个频道、子区和私信都是一段独立的对话，我会记住它。
    使用 **/提问** 时，我在新的子区中回答。使用 **/聊天** 并选择“私密”时，只有你能看到回答。
    使用 **/文章** 时，我会写一篇配图文章，之后你可以编辑。
    使用 **/解题** 时，我会用程序求解，每一步都可以查看。
    提问时可以附上图片、文本、代码、表格、PDF 或 Word 文件。
    在消息的“应用”菜单中有**就此提问**、**讲解图片**、**求解这个问题**和**从这里开始总结**。

    使用 **/重置** 可以让我忘记本频道的对话，使用 **/记忆** 可以查看我记住的内容。
    使用 **/导出** 可以获取我保存的关于你的全部数据，使用 **/遗忘** 可以将其删除。
    使用 **/停止** 或“停止”按钮可以提前结束回答，已写出的内容会保留。

    回答来自语言模型，可能会有错误。

## 回答及其注释

button-stop = 停止
note-stopped = 已停止。
note-length = 回答到此为止：已达到允许的最大长度。
note-repetition = 回答到此为止：模型开始重复自己，重复的部分已删去。
note-deadline = 回答到此为止：时间已用完。
note-files-refused = Discord 没有接受这个回答中的一个文件。
text-refused = Discord 没有接受这条消息的文字，可能被 Discord 或本服务器的过滤器拦下了。
link-refused = ‹链接已移除：被 Discord 拦截›
answer-goes-on = 回答还没有结束，其余部分会以文件发送。
answer-in-file = Discord 不允许在这里发送更多消息。文件中有完整的回答。
note-omitted = 对话太长，最早的 { $turns } 轮没有包括在内。
note-unseen = 模型已看不到对话中较早的 { $pictures } 张图片。要问这些图片，请重新发送。
note-read = 图片中的文字：{ $text }
note-read-nothing = 图片中没有可以读出的文字。
note-summarised = 更早的 { $turns } 轮只保留了摘要，可用 /记忆 查看。

## 回答是怎样得出的

check-card =
    { $check }
    -# { $summary }
check-verified = ✅ **已验证。** 单独的检验确认了这个答案。
check-refuted = ❌ **未通过检验。** 单独的检验发现这个答案不正确，请勿采信。
check-none = ⚪ **未检验。** 这个答案没有可用的检验，采用前请自行核对。
work-thinking = 思考中…
work-thought = 💭 思考了 { $time }
work-steps = { $steps } 步 · { $time }
work-steps-failed = { $steps } 步，其中 { $failed } 步出错 · { $time }
work-none = 没有运行程序。
work-forgotten = 这个回答的步骤已不再保存。
tool-python = Python
tool-python-about = 在沙箱中运行程序，可用 sympy、numpy 和 matplotlib
tool-read-picture = 读取图片文字
tool-read-picture-about = 读取本次对话中图片里的文字
tool-calculate-about = 精确计算表达式
tool-convert-about = 换算单位
tool-now-about = 查询各地的日期和时间
tool-search-channel-about = 搜索本对话中说过的内容
tool-search-files-about = 搜索随问题附上的文件
tool-arxiv-about = 在 arXiv 上检索论文
tool-search-web-about = 搜索网页
tools-title = 工具
tools-none = 正在运行的模型都没有工具。
tools-default = 这里还没有选择工具，所以 /聊天 不会调用工具。/解题 总是可以运行程序和换算单位。
tools-chosen = 在本频道，/聊天 可以调用带 ● 的工具，/解题 可以调用其中的搜索工具。/解题 总是可以运行程序和换算单位。
tools-asks = 每次调用前，由提问者决定是否运行。
tools-ask-on = 调用前先询问
tools-ask-off = 调用前不再询问
tools-choose = 选择模型在这里可以调用的工具
step-output = 输出
step-timeout = 用时过长，已停止
step-refused = 没有运行
step-other-way = 这个程序没有运行，模型正在换一种方法…
step-repairing = 这个程序没有成功，模型正在修正…
step-asks = 要运行吗？
step-figures = { $count } 张图
plot-alt = 图 { $number }，由第 { $step } 步的程序绘制
lasting-seconds = { $seconds } 秒
lasting-minutes = { $minutes } 分钟
solve-unsolved = 模型在允许的步数内没有得出答案。请换一种说法，或者把问题分成几个小问题。
solve-nowhere = 正在运行的模型都不能安全地执行程序，所以现在无法在这里解题。请改用 /聊天。运营者可以用 `python -m inference.sandbox check` 查看缺少什么。
solve-files = 请求解我所发内容中的问题。
numbers-title = 换一组数字求解
numbers-changed = 换了数字：{ $changes }
numbers-same = 数字没有变化，所以没有重新求解。

## 图文文章

article-planning = 📝 **正在规划文章……**
article-writing =
    ✅ 已规划
    ✍️ **正在撰写** · 第 { $done } / { $total } 节
article-illustrating =
    ✅ 已规划
    ✅ 已写完
    🖼️ **配图** · 已查找 { $done } / { $total } 处，已放置 { $placed } 张
article-changing = ⏳ **正在修改：** { $heading }
vote-counted = 已记录，谢谢。👍 { $up } · 👎 { $down }
article-edit = 编辑
article-download = 下载
article-why = 这里为什么没有图片？
article-nowhere = 正在运行的模型都不能写文章。请改用 /聊天。
article-opening = 开头
article-refresh = 刷新
article-rewrite = 重写
article-expand = 扩写
article-shorten = 缩写
article-text = 编辑文字
article-picture = 换一张图
article-remove = 不要图片
article-up = 上移
article-down = 下移
article-look = 重新查找
article-back = 返回
article-take = 选择一张图片
article-no-candidates = 现在没有其他图片可选。你可以重新查找。
article-heading = 标题
article-words = 正文（Markdown）
article-text-title = 编辑这一节
article-wish = 你的要求（可留空）
article-rewrite-title = 重写这一节
article-expand-title = 扩写这一节
article-shorten-title = 缩写这一节
article-working = ⏳ 正在修改一节。修改完成后会显示在文章里。
article-long = 这一节太长，表单放不下。你可以使用“缩写”或“重写”。
article-not-there = 这部分内容已经不存在。请重新打开编辑器。
article-not-yours = 这是 { $name } 的文章，只有本人可以编辑。你可以下载它，或者用 /文章 写一篇自己的。
article-bundle = 文章的 Markdown 文件及其图片，以及一个可以随处阅读和打印的网页。
article-too-large = 这篇文章太大，无法作为文件发送到这里。
why-line = *{ $what }*：{ $why }
why-nothing = 没有它的图片
why-another = 最接近的图片内容与此不同
why-weak = 没有足够接近的图片
why-unsure = 有几张图片同样接近，无法确定哪一张合适
why-seen = 仔细检查后发现，最接近的图片内容与此不符
why-unreadable = 无法确定最接近的图片里是什么
why-removed = 图片已被移除
why-unsaid = 这一节修改后，已不再提到它
why-choose = 作者可以在编辑器里从其他 { $count } 张图片中选择。
why-none = 每个图片位置都有图片。
why-note = 没有确实合适的图片时，就留空。

## 对回答可以做的事

button-retry = 重试
button-again = 重新生成
button-edit = 编辑
button-undo = 撤回
button-more = 继续
button-allow = 运行
button-forbid = 不运行
allow-not-yours = 只有提问者，或可以管理这里的消息的人，才能决定。
button-steps = 步骤
button-thoughts = 思考过程
button-numbers = 换数字
button-latex = LaTeX
latex-forgotten = 这条回答的公式已不再保存。
edit-title = 编辑你的问题
edit-question = 问题
undo-done = 已撤回：模型不再记得这个问题和回答。
action-busy = 我正在这里写一个回答。请等它完成，或停止它。
action-old = 只能更改最新的回答。回复这个回答，就可以从这里继续。
action-forgotten = 模型已不再记得这个回答。请再问一次。
access-elsewhere = 这属于另一个频道或另一个人。请在它显示给你的地方使用。
access-forgotten = 这个表单或按钮来自另一个版本，已不再起作用。请重新打开。
action-long = 这个问题太长，表单放不下。请重新提问。
action-not-yours = 只有提问者，或可以管理这里的消息的人，才能这样做。
retry-not-yours = 只有提问者可以再次提出这个问题。
retry-forgotten = 这个问题已不再保存，请重新提问。
action-not-your-question = 只有提问者可以编辑问题。

## 等待中

about-seconds = 约 { $count } 秒
about-minutes = 约 { $count } 分钟
about-hours = 约 { $count } 小时
waiting-next = 下一个就轮到你的问题。
waiting-place = 你的问题排在第 { $place } 位。
waiting-place-time = 你的问题排在第 { $place } 位，还需等待{ $time }。
waiting-loading = 模型正在加载。你的问题已保留，稍后会得到回答。
waiting-loading-progress = 模型正在加载（{ $percent }%）。你的问题已保留，稍后会得到回答。
waiting-no-worker = 目前没有模型在运行。你的问题已保留，模型启动后会得到回答。
waiting-no-able = 正在运行的模型都不能处理这个请求。你的问题已保留，有合适的模型运行时会得到回答。
waiting-running = 模型正在阅读你的问题……
waiting-queue = 目前无法连接队列。你的问题已保留，稍后会得到回答。

## 随问题附上的文件和消息

prompt-files = 请看看我发的内容，告诉我里面有什么。
prompt-reply = 请回应我所回复的消息。
prompt-thread = 请回应这个子区所讨论的内容。
explain-prompt = 请讲解这张图片：上面有什么？
no-image-there = 那条消息里没有图片。
summary-prompt = 请用几句话总结这段对话：谁说了什么、决定了什么、还有什么没有解决。
about-title = 就这条消息提问
question-title-chat = 向模型提问
question-title-solve = 解题
question-files = 文件和图片
about-question = 你的问题
about-whom = 关于 { $name } 的消息
about-forgotten = 已无法读取这条消息，请重新打开表单。
file-data = 程序可以读取完整的 `{ $name }`。
file-read = 已读取 `{ $name }`。
file-cut = 已读取 `{ $name }` 的前 { $characters } 个字符，其余放不下。
file-cut-pages = 已读取 `{ $name }` 的前 { $read } 页（共 { $pages } 页），其余放不下。
file-unseen = 正在运行的模型看不到图片，所以没有看到 { $names }。
file-text-only = 模型看不到图片 { $names } 本身，只得到了从中读出的文字。
file-voice = `{ $name }` 是语音消息，我听不了。请用文字写下来。
file-audio = `{ $name }` 是录音，我听不了。
file-empty = `{ $name }` 是空的。
file-large = `{ $name }` 超过 { $megabytes } MB，没有读取。
file-unknown = `{ $name }` 是我无法读取的类型。
file-archive = `{ $name }` 是压缩包。请解压后发送其中的文件。
file-spreadsheet = `{ $name }` 是 Excel 工作簿，我无法读取。请另存为 CSV 或 PDF。
file-slides = `{ $name }` 是 PowerPoint 演示文稿，我无法读取。请另存为 PDF。
file-opendocument = `{ $name }` 是 OpenDocument 文件，我无法读取。请另存为 .docx、CSV 或 PDF。
file-old-office = `{ $name }` 是旧版 Office 格式，我无法读取。请另存为 .docx、CSV 或 PDF。
file-rtf = `{ $name }` 是 RTF 文档，我无法读取。请另存为 .docx 或 PDF。
file-iwork = `{ $name }` 是 Pages、Numbers 或 Keynote 文档，我无法读取。请导出为 PDF。
file-ebook = `{ $name }` 是 EPUB 电子书，我无法读取。请转换为 PDF 或文本。
file-video = `{ $name }` 是视频，我看不了。你可以发送其中的画面截图。
file-program = `{ $name }` 是程序或程序库，不是文档，没有打开。
file-broken = `{ $name }` 已损坏，没有读取。
file-encrypted = `{ $name }` 有密码保护，没有读取。
file-no-text = `{ $name }` 中没有文字。也许它的页面是图片。
file-scanned = `{ $name }` 的页面是扫描的图片，我无法读取 PDF 里的图片。请以图片形式发送这些页面。
file-pixels = `{ $name }` 的像素太多，没有读取。
file-too-much = `{ $name }` 解压后太大，没有读取。
file-slow = 读取 `{ $name }` 花的时间太长，没有读取。
file-busy = 正在读取的文件太多，所以没有读取 `{ $name }`。请过一分钟再问。
file-no-room = `{ $name }` 放不下，没有读取。
file-full = 目前没有空间保存 `{ $name }`。请过几分钟再问。
file-full-user = 没有空间保存 `{ $name }`：你的文件已占满一个人可用的空间。请过一分钟再问，或等你的其他问题得到回答后再问。
file-full-server = 没有空间保存 `{ $name }`：本服务器的文件已占满一个服务器可用的空间。请过几分钟再问。
file-lost = 无法获取 `{ $name }`。
file-without-pictures = `{ $name }` 中的图片没有读取，只读取了文字。
file-without-charts = `{ $name }` 中的图表没有读取，只读取了文字。
file-without-diagrams = `{ $name }` 中的 SmartArt 图形没有读取，只读取了文字。
file-without-objects = `{ $name }` 中嵌入的对象没有读取，只读取了文字。
file-assumed-encoding = `{ $name }` 没有标明文字编码，已按 { $encoding } 读取。
file-repaired = `{ $name }` 中有些字节不是有效的字符，已替换或略去。
file-cleaned = 已略去 `{ $name }` 中的终端控制码或控制字符。
reply-deleted = 你回复的消息已被删除，我无法读取。
reply-hidden = 我无权读取你回复的消息。请在那条消息上选择“应用” → **就此提问**，我就能读取。
reply-forbidden = 我无法读取你回复的消息：我需要“读取消息历史记录”权限。也可以在那条消息上选择“应用” → **就此提问**。
reply-lost = 无法获取你回复的消息。
thread-deleted = 此子区的首条消息已被删除，我无法读取。
thread-hidden = 我无权读取此子区的首条消息。请在那条消息上选择“应用” → **就此提问**，我就能读取。
thread-unreadable = 我无法读取此子区的首条消息：我需要“读取消息历史记录”权限。
thread-lost = 无法获取此子区的首条消息。
quote-cut = 只读取了 { $name } 所写内容的前 { $characters } 个字符，其余放不下。
quote-unread = 这里能看图片的模型只读问题本身，没有得到 { $names } 所写的内容。
quote-cut-newest = 只读取了最新的消息，共 { $characters } 个字符，其余放不下。
files-more = 还有 { $count } 个文件没有读取：一个问题的文件数已达到上限。
summary-unread = 缺少 { $count } 条消息，因为我无权读取。运营者可以开启“消息内容”权限。
summary-more = 从那里起，我只读取了前 { $count } 条消息，后面还有更多。
thread-not-here = 子区只能在服务器的文字频道中打开。在这里请使用 /聊天。
thread-forbidden = 打开子区需要你和我都有相应的权限。请使用 /聊天。
history-forbidden = 我无权读取这里的早前消息：我需要“读取消息历史记录”权限。
history-not-yours = 你无权读取这里的早前消息，所以我不会向你转述。
history-unreadable = 我无权读取这里其他人的消息。运营者可以开启“消息内容”权限。

## 没有回答的原因

channel-off = 本频道已关闭我的回答。
roles-only = 管理员只允许部分身份组在这里与我对话。
often-minute = 你在一分钟内已提了 { $limit } 个问题，达到上限。{ $time }后可以再次提问。
often-day = 你在一天内已提了 { $limit } 个问题，达到上限。{ $time }后可以再次提问。
too-soon = 你刚刚用过这个命令。{ $time }后可以再次使用。
often-tokens = 你的问题和回答在一天内用了 { $limit } 个 token，达到上限。{ $time }后可以再次提问。
often-megabytes = 这些文件会超过一天 { $limit } MB 的上限。{ $time }后可以再发送文件，现在可以不带文件提问。

full-user = 你有 { $waiting } 个问题尚未回答，最多允许 { $limit } 个。请等其中一个完成。
full-channel = 本频道有 { $waiting } 个问题尚未回答，最多允许 { $limit } 个。请等其中一个完成后再试。
full-server = 本服务器有 { $waiting } 个问题尚未回答，最多允许 { $limit } 个。请稍后再试。
full-total = 现在提问的人很多，有 { $waiting } 个问题在等待。请几分钟后再试。
full-memory = 服务没有内存接收新问题了。请几分钟后再试。
unavailable = 目前无法连接服务。请一分钟后再试。

prompt-empty = 没有可以回答的内容。请写下一个问题。
prompt-unreadable = 我无法在这里读取你的消息。请在消息中提及我，或使用 /聊天。
prompt-long = 你的问题有 { $length } 个字符，最多允许 { $limit } 个。请至少删去 { $over } 个字符后再试。

failed-bad_request = 模型无法接受这个问题。
failed-too_long = 问题对模型来说太长了。请缩短后再试。
failed-unsupported = 正在运行的模型都做不到这一点。
failed-no_programs = 这里缺少运行程序所需的沙箱，所以无法求解。运营者可以在推理服务的日志中查看原因。
failed-no_answer = 我尝试了多个程序，都没有得出答案。
failed-no_text = 没能从图片中读出文字。请把题目写下来。
failed-engine = 模型在回答时出错了。请再问一次。
failed-deadline = 时间已用完，没能回答。请再问一次。
failed-cancelled = 回答在开始之前已停止。
failed-dead = 这个问题多次失败，我已放弃。
failed-lost = 服务丢失了这个问题。请再问一次。
answer-empty = 模型没有给出回答。
answer-repeated = 模型一直在重复自己，没有得出回答。请再问一次，或换个说法。
internal = 机器人内部出错。日志编号：{ $reference }。

## 命令自己的文字

reset-done = { $turns ->
    [0] 本频道没有可以忘记的内容。
   *[other] 已忘记本频道的 { $turns } 轮对话。
}
reset-ask = 模型将忘记本频道 { $people } 个人共有的 { $turns } 轮对话。
reset-button = 忘记这段对话
reset-undo = 撤销
reset-undone = 已恢复本频道的 { $turns } 轮对话。
reset-not-yours = 其他人也参与了这段对话。只有可以管理这里的消息的人才能让我忘记它。/遗忘 会删除你自己的部分。
reset-undo-not-yours = 只有重置对话的人，或可以管理这里的消息的人，才能撤销。
reset-gone = 已无法撤销。只有最近一次重置可以在一小时内撤销。
stop-done = 正在停止 { $count } 个回答。
stop-nothing = 你在本频道没有可以停止的回答。
stop-not-yours = 只有提问者，或可以管理这里的消息的人，才能停止这个回答。
stop-over = 这个回答已经完成。

## 设置

channel-admins-only = 只有可以管理本频道或本服务器的人才能更改。
admins-only = 只有可以管理本服务器的人才能更改。
settings-title = 设置
settings-inherited = ● 在这里设定　○ 来自服务器或默认值
settings-place = 设置的范围……
settings-of-server = 整个服务器的设置
settings-of-channel = 本频道的设置
settings-server = 整个服务器
settings-default = 默认
settings-enabled = 回答
settings-on = 开启
settings-off = 关闭
settings-turn-on = 开启回答
settings-turn-off = 关闭回答
settings-persona = 人设
settings-model = 模型
settings-any-model = 任意空闲的模型
settings-sampling = 采样
settings-temperature = 温度（0 到 2）
settings-top-p = top-p（大于 0，至多 1）
settings-longest = 最长回答（token）
settings-temperature-is = 温度 { $value }
settings-top-p-is = top-p { $value }
settings-longest-is = 至多 { $value } 个 token
settings-roles = 谁可以提问
settings-everybody = 所有人
settings-choose-roles = 谁可以提问：所有人，或这些身份组
settings-limits = 使用限制
settings-role-limit = 身份组的使用限制
settings-minute = 每分钟问题数
settings-day = 每天问题数
settings-tokens-day = 每天问题和回答的 token 数
settings-megabytes-day = 每天文件的 MB 数
settings-per-minute = 每分钟 { $count } 次
settings-per-day = 每天 { $count } 次
settings-tokens-per-day = 每天 { $count } 个 token
settings-megabytes-per-day = 每天 { $count } MB 文件
settings-unlimited = 无
settings-reset = 谁可以重置其他人参与的对话
settings-reset-managers = 可以管理消息的人
settings-reset-everybody = 所有人
settings-reset-switch = 谁可以重置
settings-language = 语言
settings-own-language = 每个人自己的语言
settings-clear = 全部撤销
settings-changes = 更改记录
settings-changed = 最近更改：{ $when }，{ $who }
settings-wrong = 不允许这个值。
settings-wrong-sampling = 温度是 0 到 2 的数字，top-p 大于 0 且至多为 1，最长回答是 1 到 100000 的整数。设置没有更改。
settings-wrong-limits = 限制是整数：问题数 1 到 10000，token 最多 1000000000，MB 最多 1000000。留空则使用默认值。设置没有更改。
persona-is = { $persona }
persona-none = 这里没有设定人设，模型按运营者的设定回答。
persona-set = 已为本频道设定人设，从下一个问题开始生效。
persona-back = 已撤销本频道的人设。
model-list =
    正在运行的模型：
    { $models }
model-unknown = 正在运行的模型中没有 { $model }。
model-set = 从现在起，只要 `{ $model }` 在运行，本频道就由它回答。
model-back = 从现在起，本频道由任意模型回答。

## 记忆

history-title = 我在这里记住的内容
history-none = 我还没有记住任何内容。对话从你的第一个问题开始。
history-turns = { $turns } 轮，{ $tokens } 个 token
history-context = 模型一次能读 { $tokens } 个 token，这里占 { $share }%
history-since = 最早的一轮：{ $since }。
history-omitted = 对话太长，最早的 { $turns } 轮没有包括在内。
history-summary = 更早的 { $turns } 轮的摘要：
history-pictures = 模型能看到这些图片：{ $names }。
history-pictures-gone = 模型已看不到 { $names }。要问这些图片，请重新发送。
history-pictures-read = 正在运行的模型都看不到图片，只记得从图片中读出的文字。
history-pictures-blind = 正在运行的模型都看不到这里发过的图片。
history-note = /重置 会让我忘记这段对话。最后一轮对话 90 天后，这段对话会被删除。
export-done = { $turns ->
    [0] 我没有保存你的任何对话。
   *[other] 文件中有你的 { $turns } 轮对话，以及你最近的问题。
}
forget-title = 忘记我
forget-ask = 这会从所有对话中删除你的问题及其回答，以及你最近的问题，并且无法撤销。Discord 中的消息会保留，你可以自行删除。
forget-button = 全部遗忘
forget-done = 已忘记 { $turns } 轮。仍在回答中的问题，其记录会在一天内删除。

## 服务状态

status-title = 状态
status-no-worker = 目前没有模型在运行。
status-busy = 已占用 { $running } / { $slots } 个位置
status-waiting = { $count ->
    [0] 没有等待中的问题。
   *[other] 有 { $count } 个问题在等待。
}
status-latency = Discord { $discord } 毫秒 · 队列 { $queue } 毫秒
status-latency-queue = 队列 { $queue } 毫秒
phase-loading = 加载中
phase-ready = 就绪
phase-degraded = 状态不佳
phase-draining = 即将停止

## 机器人名字下方的一行

presence-ready = /聊天
presence-loading = 正在加载模型……
presence-loading-progress = 正在加载模型…… { $percent }%
presence-no-worker = 没有模型在运行
presence-queue = 无法连接队列
