### What people read, in English.

## Commands: names are what people type after the slash

command-chat = chat
command-chat-about = Ask the model; everyone here sees the answer
command-solve = solve
command-solve-about = Solve a problem step by step with programs
command-article = article
command-article-about = Write an illustrated article, which you can edit afterwards
command-ask = ask
command-ask-about = Ask in a new thread, or right here where no thread can be opened
command-thread = thread
command-thread-about = Ask in a new thread, and never in the channel itself
command-about = Ask about this
command-explain = Explain image
command-solve-this = Solve this
command-summarise = Summarise from here
command-settings = settings
command-settings-about = Set up the bot for this server or channel
command-persona = persona
command-persona-about = Show or change the model's persona in this channel
command-model = model
command-model-about = Show which models run, or choose one for this channel
command-tools = tools
command-tools-about = Show which tools the model may call here, or choose them
command-history = history
command-history-about = Show what the model remembers of this conversation
command-export = export
command-export-about = Get all data that is stored about you, as a file
command-forget = forget
command-forget-about = Delete all data that is stored about you
command-status = status
command-status-about = Show the state of the service
option-persona = persona
option-persona-about = Who the model is, in your words; a single - removes the persona
option-model = model
option-model-about = The model for this channel; a single - removes the choice
option-history-private-about = Show your private conversation here, not the channel's
option-prompt = prompt
option-prompt-about = Your question, up to 6,000 characters
option-prompt-form = Your question. Leave it empty to open a form for several lines and up to ten files
option-problem = problem
option-problem-form = An equation, word problem, plot or question about your data. Leave it empty to open a form
option-thinking = thinking
option-thinking-about = Whether the model thinks before it answers; you can read its thoughts
option-topic = topic
option-topic-about = The topic or an instruction; you can also attach a text as the source
option-pictures = pictures
option-pictures-about = The most pictures to use; if empty, as many as certainly fit
option-length = length
option-length-about = The length of the article
option-language = language
option-language-about = The language of the article; if empty, the language of your topic, or your own
option-seed = seed
option-seed-about = A number; the same number gives the same article again
option-file-source = A text or PDF as the source, or a picture of yours that the article may show
length-short = short
length-medium = medium
length-long = long
option-private = private
option-private-about = Only you see the answer, in a private conversation
option-reset-private-about = Reset your private conversation here, not the channel's
option-file = file
option-file2 = file2
option-file3 = file3
option-file-about = A text, code, CSV, JSON, PDF or Word file, or a picture
option-file-data = A photo of the problem, or data that the programs may read, such as a CSV file
option-file-more = One more file
command-reset = reset
command-reset-about = Make the model forget this channel's conversation
command-stop = stop
command-stop-about = Stop the answer that is being written for you in this channel
command-help = help
command-help-about = How to talk with the model

help-title = Talking with the model
help-text =
    Ask with **/chat**, mention me, reply to one of my messages, or send me a direct message.
    Each channel, thread and direct message is one conversation, and I remember it.
    With **/ask** I answer in a new thread. With **/chat** and `private` only you see the answer.
    With **/article** I write an illustrated article, which you can edit afterwards.
    With **/solve** I solve a problem with programs, and you can read each step.
    You can attach pictures, texts, code, tables, PDF or Word files to a question.
    On a message, *Apps* offers **Ask about this**, **Explain image**, **Solve this** and **Summarise from here**.

    Use **/reset** to make me forget the conversation of this channel, and **/history** to see what I remember.
    Use **/export** to get all data that I store about you, and **/forget** to delete it.
    Use **/stop** or the Stop button to end an answer early. The text so far stays.

    Answers come from a language model. They can be wrong.

## An answer and its notes

button-stop = Stop
note-stopped = Stopped.
note-length = The answer ends here: it reached the longest allowed length.
note-repetition = The answer ends here: the model began to repeat itself. The repeats were removed.
note-deadline = The answer ends here: its time was over.
note-files-refused = Discord did not accept a file of this answer.
text-refused = Discord did not accept the text of this message. A filter of this server or of Discord may have blocked it.
link-refused = ‹link removed: Discord blocks it›
answer-goes-on = The answer continues. The rest follows as a file.
answer-in-file = Discord allows no further messages here. The file contains the whole answer.
note-omitted = { $turns ->
    [one] The oldest turn of this conversation does not fit any more and was left out.
   *[other] The { $turns } oldest turns of this conversation do not fit any more and were left out.
}
note-unseen = { $pictures ->
    [one] The model no longer sees an earlier picture of this conversation. Post it again to ask about it.
   *[other] The model no longer sees { $pictures } earlier pictures of this conversation. Post a picture again to ask about it.
}
note-read = Text in the picture: { $text }
note-read-nothing = The picture contains no readable text.
note-summarised = { $turns ->
    [one] The model remembers the turn before as a summary. /history shows it.
   *[other] The model remembers the { $turns } turns before as a summary. /history shows it.
}

## How an answer was come to

check-card =
    { $check }
    -# { $summary }
check-verified = ✅ **Verified.** A separate test confirmed the answer.
check-refuted = ❌ **Refuted.** A separate test found that the answer is wrong. Do not rely on it.
check-none = ⚪ **Not checked.** There was no test for this answer. Check it before you rely on it.
work-thinking = Thinking…
work-thought = 💭 Thought for { $time }
work-steps = { $steps ->
    [one] One step · { $time }
   *[other] { $steps } steps · { $time }
}
work-steps-failed = { $steps ->
    [one] One step, with an error · { $time }
   *[other] { $steps } steps, { $failed } with an error · { $time }
}
work-none = No program was run.
work-forgotten = The steps of this answer are no longer stored.
tool-python = Python
tool-python-about = Runs a program in a sandbox, with sympy, numpy and matplotlib
tool-read-picture = Reading the picture
tool-read-picture-about = Reads the text in the pictures of this conversation
tool-calculate-about = Works out an expression exactly
tool-convert-about = Converts a quantity to another unit
tool-now-about = Tells the date and time anywhere
tool-search-channel-about = Searches the messages of this conversation
tool-search-files-about = Searches the files that came with the question
tool-arxiv-about = Searches arXiv for papers
tool-search-web-about = Searches the web
tools-title = Tools
tools-none = No running model has tools.
tools-default = Nobody chose tools here, so /chat calls none. /solve always runs programs and converts units.
tools-chosen = In this channel /chat may call the tools with ●. /solve may call the search tools among them. /solve always runs programs and converts units.
tools-asks = Before each call, the person who asked decides whether it runs.
tools-ask-on = Ask before each call
tools-ask-off = Do not ask before calls
tools-choose = Choose the tools that the model may call here
step-output = Output
step-timeout = took too long and was stopped
step-refused = was not run
step-other-way = This did not run. The model tries another way…
step-repairing = This did not work. The model repairs it…
step-asks = Do you want to run this?
step-figures = { $count ->
    [one] one plot
   *[other] { $count } plots
}
plot-alt = Plot { $number }, drawn by the program of step { $step }
lasting-seconds = { $seconds } s
lasting-minutes = { $minutes } min
solve-unsolved = The model found no answer in the allowed number of steps. Please rephrase the problem, or divide it into smaller parts.
solve-nowhere = No running model can run programs safely, so I cannot solve problems here now. Please ask with /chat. The operator can see what is missing with `python -m inference.sandbox check`.
solve-files = Please solve the problem in what I posted.
numbers-title = Solve with other numbers
numbers-changed = With other numbers: { $changes }
numbers-same = The numbers are the same, so nothing was solved again.

## An illustrated article

article-planning = 📝 **Planning the article…**
article-writing =
    ✅ Planned
    ✍️ **Writing** · { $done } of { $total } sections
article-illustrating =
    ✅ Planned
    ✅ Written
    🖼️ **Pictures** · searched for { $done } of { $total }, placed { $placed }
article-changing = ⏳ **Changing:** { $heading }
vote-counted = Your vote is counted, thank you. 👍 { $up } · 👎 { $down }
article-edit = Edit
article-download = Download
article-why = Why no picture here?
article-nowhere = No running model can write articles now. Please ask with /chat.
article-opening = Opening
article-refresh = Refresh
article-rewrite = Rewrite
article-expand = Expand
article-shorten = Shorten
article-text = Edit text
article-picture = Another picture
article-remove = No picture
article-up = Move up
article-down = Move down
article-look = Search for another
article-back = Back
article-take = Choose a picture
article-no-candidates = No other picture is available now. You can search for one.
article-heading = Heading
article-words = Text (Markdown)
article-text-title = Edit this section
article-wish = Your wish (optional)
article-rewrite-title = Rewrite this section
article-expand-title = Expand this section
article-shorten-title = Shorten this section
article-working = ⏳ A section is being changed. The article shows the change when it is ready.
article-long = This section is too long for the form. You can use Shorten or Rewrite.
article-not-there = This part no longer exists. Please open the editor again.
article-not-yours = This article belongs to { $name }, and only they can edit it. You can download it, or write your own with /article.
article-bundle = The article as Markdown with its pictures, and as one web page that you can read and print anywhere.
article-too-large = This article is too large to send as a file here.
why-line = *{ $what }*: { $why }
why-nothing = no picture of this is available
why-another = the closest pictures show something else
why-weak = no picture is close enough to be certain
why-unsure = several pictures are equally close, and only one can be right
why-seen = a closer look found that the closest picture shows something else
why-unreadable = it is uncertain what the closest picture shows
why-removed = the picture was removed
why-unsaid = the section was changed and no longer mentions it
why-choose = { $count ->
    [one] The author can choose another picture in the editor.
   *[other] The author can choose one of { $count } other pictures in the editor.
}
why-none = Every place has a picture.
why-note = A place stays empty if no picture certainly fits.

## What may be done about an answer

button-retry = Try again
button-again = Again
button-edit = Edit
button-undo = Undo
button-more = Continue
button-allow = Run it
button-forbid = Do not run it
allow-not-yours = Only the person who asked, or a person who may manage messages here, can decide this.
button-steps = Steps
button-thoughts = Thoughts
button-numbers = Other numbers
button-latex = LaTeX
latex-forgotten = The formulas of this answer are no longer stored.
edit-title = Edit your question
edit-question = Question
undo-done = The question is undone: the model no longer knows it or its answer.
action-busy = I am writing an answer here. Please wait for it, or stop it.
action-old = Only the latest answer can be changed. Reply to this answer to continue from here.
action-forgotten = The model no longer remembers this answer. Please ask again.
access-elsewhere = This belongs to another channel or another person. Please use it where it was shown to you.
access-forgotten = This form or button is from another version and no longer works. Please open it again.
action-long = This question is too long for the form. Please ask it again.
action-not-yours = Only the person who asked, or a person who may manage messages here, can do this.
retry-not-yours = Only the person who asked can ask this question again.
retry-forgotten = This question is no longer stored. Please ask it again.
action-not-your-question = Only the person who asked can edit the question.

## While a question waits

about-seconds = about { $count } s
about-minutes = about { $count } min
about-hours = about { $count } h
waiting-next = Your question is next in line.
waiting-place = Your question is number { $place } in line.
waiting-place-time = Your question is number { $place } in line. The wait is { $time }.
waiting-loading = The model is loading. Your question is kept and will be answered.
waiting-loading-progress = The model is loading ({ $percent } %). Your question is kept and will be answered.
waiting-no-worker = No model is running right now. Your question is kept and will be answered when one is.
waiting-no-able = No running model can do this now. Your question is kept and will be answered when such a model runs.
waiting-running = The model is reading your question…
waiting-queue = The queue cannot be reached right now. Your question is kept and will be answered.

## Files and messages that a question is about

prompt-files = Please look at what I posted and tell me what is in it.
prompt-reply = Please respond to the message that I reply to.
prompt-thread = Please respond to what this thread is about.
explain-prompt = Please explain this picture: what does it show?
no-image-there = There is no picture in that message.
summary-prompt = Please sum up this conversation in a few sentences: who said what, what was decided, what is open.
about-title = Ask about this message
question-title-chat = Ask the model
question-title-solve = Solve a problem
question-files = Files and pictures
about-question = Your question
about-whom = About the message by { $name }
about-forgotten = I can no longer read this message. Please open the form again.
file-data = The programs can read all of `{ $name }`.
file-read = I read `{ $name }`.
file-cut = I read the first { $characters } characters of `{ $name }`. The rest does not fit.
file-cut-pages = I read the first { $read } of { $pages } pages of `{ $name }`. The rest does not fit.
file-unseen = The running model cannot see pictures, so it did not see { $names }.
file-text-only = The model does not see the pictures { $names } themselves. It got only the text that was read in them.
file-voice = `{ $name }` is a voice message, which I cannot hear. Please write your message.
file-audio = `{ $name }` is a recording, which I cannot hear.
file-empty = `{ $name }` is empty.
file-large = `{ $name }` is larger than { $megabytes } MB and was not read.
file-unknown = `{ $name }` is of a kind that I cannot read.
file-archive = `{ $name }` is an archive. Please unpack it and post the files in it.
file-spreadsheet = `{ $name }` is an Excel workbook, which I cannot read. Please save it as CSV or PDF.
file-slides = `{ $name }` is a PowerPoint presentation, which I cannot read. Please save it as PDF.
file-opendocument = `{ $name }` is an OpenDocument file, which I cannot read. Please save it as .docx, CSV or PDF.
file-old-office = `{ $name }` is in an old Office format, which I cannot read. Please save it as .docx, CSV or PDF.
file-rtf = `{ $name }` is an RTF document, which I cannot read. Please save it as .docx or PDF.
file-iwork = `{ $name }` is a Pages, Numbers or Keynote document, which I cannot read. Please export it as PDF.
file-ebook = `{ $name }` is an e-book in EPUB format, which I cannot read. Please convert it to PDF or text.
file-video = `{ $name }` is a video, which I cannot watch. You can post pictures of it.
file-program = `{ $name }` is a program or library, not a document. It was not opened.
file-broken = `{ $name }` is damaged and was not read.
file-encrypted = `{ $name }` is locked with a password and was not read.
file-no-text = `{ $name }` contains no text. Perhaps its pages are pictures.
file-scanned = The pages of `{ $name }` are pictures of text, which I cannot read in a PDF. Please post them as pictures.
file-pixels = `{ $name }` has too many pixels and was not read.
file-too-much = `{ $name }` is too large when it is unpacked, and was not read.
file-slow = Reading `{ $name }` took too long, so I stopped.
file-busy = Too many files are being read now, so I did not read `{ $name }`. Please ask again in a minute.
file-no-room = `{ $name }` does not fit and was not read.
file-full = There is no space to store `{ $name }` now. Please ask again in a few minutes.
file-full-user = There is no space to store `{ $name }`: your files use all the space for one person. Please ask again in a minute, or when your other questions are answered.
file-full-server = There is no space to store `{ $name }`: the files of this server use all the space for one server. Please ask again in a few minutes.
file-lost = `{ $name }` could not be fetched.
file-without-pictures = The pictures in `{ $name }` were not read, only its text.
file-without-charts = The charts in `{ $name }` were not read, only its text.
file-without-diagrams = The SmartArt diagrams in `{ $name }` were not read, only its text.
file-without-objects = The embedded objects in `{ $name }` were not read, only its text.
file-assumed-encoding = `{ $name }` does not state its encoding. I assumed { $encoding }.
file-repaired = Some bytes of `{ $name }` were no valid characters. I replaced them or left them out.
file-cleaned = I left out terminal codes or control characters in `{ $name }`.
reply-deleted = The message that you replied to was deleted, so I could not read it.
reply-hidden = I am not allowed to read the message that you replied to. On that message, *Apps* → **Ask about this** lets me read it.
reply-forbidden = I may not read the message that you replied to: I need the permission *Read Message History*. On that message, *Apps* → **Ask about this** lets me read it.
reply-lost = The message that you replied to could not be fetched.
thread-deleted = The first message of this thread was deleted, so I could not read it.
thread-hidden = I am not allowed to read the first message of this thread. On that message, *Apps* → **Ask about this** lets me read it.
thread-unreadable = I may not read the first message of this thread: I need the permission *Read Message History*.
thread-lost = The first message of this thread could not be fetched.
quote-cut = I read the first { $characters } characters of the message by { $name }. The rest does not fit.
quote-unread = The model that sees pictures here reads only the question. It did not get the messages by { $names }.
quote-cut-newest = I read only the newest messages, { $characters } characters of them. The rest does not fit.
files-more = { $count ->
    [one] I did not read one more file: the question already has as many files as are allowed.
   *[other] I did not read { $count } more files: the question already has as many files as are allowed.
}
summary-unread = { $count ->
    [one] One message is missing, since I am not allowed to read it. The operator can turn on the message-content intent.
   *[other] { $count } messages are missing, since I am not allowed to read them. The operator can turn on the message-content intent.
}
summary-more = I read the first { $count } messages from there. There are more.
thread-not-here = Threads can be opened only in a server's text channels. Please use /chat here.
thread-forbidden = You and I both need the permission to open a thread here. Please use /chat.
history-forbidden = I may not read earlier messages here: I need the permission *Read Message History*.
history-not-yours = You may not read earlier messages here, so I do not show them to you.
history-unreadable = I am not allowed to read other people's messages here. The operator can turn on the message-content intent.

## Why there is no answer

channel-off = I am switched off in this channel.
roles-only = The admins allow only some roles to talk with me here.
often-minute = { $limit ->
    [one] You may ask one question a minute. You can ask the next one in { $time }.
   *[other] You asked { $limit } questions in a minute, which is the limit. You can ask the next one in { $time }.
}
often-day = { $limit ->
    [one] You may ask one question a day. You can ask the next one in { $time }.
   *[other] You asked { $limit } questions in a day, which is the limit. You can ask the next one in { $time }.
}
too-soon = You did that a moment ago. You can do it again in { $time }.
often-tokens = Your questions and answers used { $limit } tokens in a day, which is the limit. You can ask again in { $time }.
often-megabytes = These files would exceed the limit of { $limit } MB in a day. You can post them in { $time }, or ask without files now.

full-user = You have { $waiting } open questions, and the limit is { $limit }. Please wait for an answer.
full-channel = This channel has { $waiting } open questions, and the limit is { $limit }. Please try again when one is answered.
full-server = This server has { $waiting } open questions, and the limit is { $limit }. Please try again later.
full-total = Very many people are asking now: { $waiting } questions are waiting. Please try again in a few minutes.
full-memory = The service has no memory left for new questions. Please try again in a few minutes.
unavailable = The service cannot be reached right now. Please try again in a minute.

prompt-empty = There is nothing to answer. Please write a question.
prompt-unreadable = I cannot read your message here. Please mention me in it, or use /chat.
prompt-long = Your question has { $length } characters, and the limit is { $limit }. Please shorten it by { $over ->
    [one] one character.
   *[other] { $over } characters.
}

failed-bad_request = The model could not accept this question.
failed-too_long = The question is too long for the model. Please shorten it.
failed-unsupported = No running model can do this.
failed-no_programs = The sandbox for programs is missing here, so I cannot solve this. The operator can read the reason in the worker's log.
failed-no_answer = I tried several programs, and none gave an answer.
failed-no_text = I could not read any text in the picture. Please write the problem down.
failed-engine = The model failed during the answer. Please ask again.
failed-deadline = There was not enough time to answer. Please ask again.
failed-cancelled = The answer was stopped before it began.
failed-dead = This question failed several times, so I gave up.
failed-lost = The service lost this question. Please ask again.
answer-empty = The model gave no answer.
answer-repeated = The model repeated itself and came to no answer. Ask again, or in other words.
internal = An error occurred in the bot. The log describes it under { $reference }.

## Commands' own words

reset-done = { $turns ->
    [0] There was nothing to forget in this channel.
    [one] I forgot one turn of this channel's conversation.
   *[other] I forgot { $turns } turns of this channel's conversation.
}
reset-ask = { $turns ->
    [one] This makes the model forget the one turn of this channel's conversation.
   *[other] This makes the model forget { $turns } turns of this channel's conversation, which { $people } people share.
}
reset-button = Forget this conversation
reset-undo = Undo
reset-undone = { $turns ->
    [one] I remember the one turn of this channel's conversation again.
   *[other] I remember { $turns } turns of this channel's conversation again.
}
reset-not-yours = Other people took part in this conversation. Only a person who may manage messages here can make me forget it. /forget deletes your own part.
reset-undo-not-yours = Only the person who reset the conversation, or a person who may manage messages here, can undo this.
reset-gone = This can no longer be undone. Only the last reset can be undone, within an hour.
stop-done = { $count ->
    [one] The answer is being stopped.
   *[other] { $count } answers are being stopped.
}
stop-nothing = You have no answer to stop in this channel.
stop-not-yours = Only the person who asked, or a person who may manage messages here, can stop this answer.
stop-over = This answer is already complete.

## Settings

channel-admins-only = Only people who may manage this channel or this server can change that.
admins-only = Only people who may manage this server can change that.
settings-title = Settings
settings-inherited = ● set here　○ from the server or the default
settings-place = Settings of…
settings-of-server = Settings of the whole server
settings-of-channel = Settings of this channel
settings-server = the whole server
settings-default = default
settings-enabled = Answers
settings-on = on
settings-off = off
settings-turn-on = Turn answers on
settings-turn-off = Turn answers off
settings-persona = Persona
settings-model = Model
settings-any-model = Any free model
settings-sampling = Sampling
settings-temperature = temperature (0 to 2)
settings-top-p = top-p (above 0, up to 1)
settings-longest = longest answer (tokens)
settings-temperature-is = temperature { $value }
settings-top-p-is = top-p { $value }
settings-longest-is = up to { $value } tokens
settings-roles = Who may ask
settings-everybody = everybody
settings-choose-roles = Who may ask: everybody, or these roles
settings-limits = Limits
settings-role-limit = Limits of a role
settings-minute = questions a minute
settings-day = questions a day
settings-tokens-day = tokens of questions and answers a day
settings-megabytes-day = MB of files a day
settings-per-minute = { $count } a minute
settings-per-day = { $count } a day
settings-tokens-per-day = { $count } tokens a day
settings-megabytes-per-day = { $count } MB of files a day
settings-unlimited = none
settings-reset = Who may /reset other people's turns
settings-reset-managers = people who may manage messages
settings-reset-everybody = everybody
settings-reset-switch = Who may /reset
settings-language = Language
settings-own-language = each person's own
settings-clear = Reset all of these
settings-changes = Change history
settings-changed = Last changed { $when } by { $who }
settings-wrong = This value is not allowed.
settings-wrong-sampling = Temperature is a number from 0 to 2. Top-p is a number above 0, up to 1. The longest answer is a whole number from 1 to 100,000. Nothing was changed.
settings-wrong-limits = Limits are whole numbers: questions from 1 to 10,000, tokens up to 1,000,000,000, MB up to 1,000,000. Leave a field empty to use the default. Nothing was changed.
persona-is = { $persona }
persona-none = No persona is set here. The model behaves as the operator set it up.
persona-set = The persona is set for this channel. It applies from the next question.
persona-back = The persona of this channel was removed.
model-list =
    Running models:
    { $models }
model-unknown = No running model is called { $model }.
model-set = `{ $model }` answers this channel from now on, while it runs.
model-back = Any model may answer this channel from now on.

## What is remembered

history-title = What I remember here
history-none = I remember nothing yet. The conversation begins with your first question.
history-turns = { $turns ->
    [one] One turn, { $tokens } tokens
   *[other] { $turns } turns, { $tokens } tokens
}
history-context = { $share } % of the { $tokens } tokens that the model reads at once
history-since = The oldest turn is from { $since }.
history-omitted = { $turns ->
    [one] The oldest turn does not fit any more and is left out.
   *[other] The { $turns } oldest turns do not fit any more and are left out.
}
history-summary = { $turns ->
    [one] Summary of the turn before:
   *[other] Summary of the { $turns } turns before:
}
history-pictures = The model sees these pictures: { $names }.
history-pictures-gone = The model no longer sees { $names }. Post a picture again to ask about it.
history-pictures-read = No running model sees pictures. The model remembers only the text that was read in them.
history-pictures-blind = No running model sees the pictures that were posted here.
history-note = /reset makes me forget this conversation. A conversation is deleted 90 days after its last turn.
export-done = { $turns ->
    [0] I store no turns of yours.
    [one] The file contains one turn of yours, and your recent questions.
   *[other] The file contains { $turns } turns of yours, and your recent questions.
}
forget-title = Forget me
forget-ask = This deletes your questions and their answers from every conversation, and your recent questions. You cannot undo it. Messages in Discord stay; you can delete them yourself.
forget-button = Forget everything
forget-done = { $turns ->
    [one] I forgot one turn. The record of a question that is still being answered is deleted within a day.
   *[other] I forgot { $turns } turns. The record of a question that is still being answered is deleted within a day.
}

## How the service is

status-title = Status
status-no-worker = No model is running right now.
status-busy = { $running } of { $slots } slots in use
status-waiting = { $count ->
    [0] No question is waiting.
    [one] One question is waiting.
   *[other] { $count } questions are waiting.
}
status-latency = Discord { $discord } ms · queue { $queue } ms
status-latency-queue = Queue { $queue } ms
phase-loading = loading
phase-ready = ready
phase-degraded = with problems
phase-draining = stopping soon

## The line under the bot's name

presence-ready = /chat
presence-loading = Loading the model…
presence-loading-progress = Loading the model… { $percent } %
presence-no-worker = No model is running
presence-queue = The queue is unreachable
