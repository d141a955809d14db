### What people read, in English.

## Commands: names are what people type after the slash

command-chat = chat
command-chat-about = Ask the model; everyone here sees the answer
command-solve = solve
command-solve-about = Have a problem worked out by programs, step by step
command-article = article
command-article-about = Have an illustrated article written; you can edit it afterwards
command-ask = ask
command-ask-about = Ask in a thread of its own, so that the channel stays readable
command-thread = thread
command-thread-about = Open a thread for a question and answer it there
command-about = Ask about this
command-explain = Explain image
command-solve-this = Solve this
command-summarise = Summarise from here
command-settings = settings
command-settings-about = Set up the bot for this server or channel
command-persona = persona
command-persona-about = Show or change who the model is in this channel
command-model = model
command-model-about = Show which models run, or choose one for this channel
command-tools = tools
command-tools-about = Show which tools the model may call here, or choose them
command-history = history
command-history-about = Show what the model remembers of this conversation
command-export = export
command-export-about = Get everything that is kept of you, as a file
command-forget = forget
command-forget-about = Remove everything that is kept of you
command-status = status
command-status-about = Show how the service is
option-persona = persona
option-persona-about = Who the model is, in your words; a single - takes it back
option-model = model
option-model-about = The model for this channel; a single - takes it back
option-history-private-about = Your private conversation here, in place of the channel's
option-prompt = prompt
option-prompt-about = Your question, up to 6,000 characters
option-prompt-form = Your question. Leave it out to get a form for several lines and up to ten files
option-problem = problem
option-problem-form = An equation, a word problem, a plot, a question on your data. Leave it out to get a form
option-thinking = thinking
option-thinking-about = Whether the model thinks aloud before it answers; you can read its thoughts
option-topic = topic
option-topic-about = What it is about, or an instruction; you may also attach a text to go by
option-pictures = pictures
option-pictures-about = How many pictures at most; without it, as many as surely fit
option-length = length
option-length-about = How long it is to be
option-language = language
option-language-about = The language to write in; without it, that of your topic, or your own
option-seed = seed
option-seed-about = A number; the same one gives the same article again
option-file-source = A text or PDF to go by, or a picture of yours that may be shown in it
length-short = short
length-medium = medium
length-long = long
option-private = private
option-private-about = Only you see the answer; it is a conversation of your own
option-reset-private-about = Your private conversation here, in place of the channel's
option-file = file
option-file2 = file2
option-file3 = file3
option-file-about = A text, code, CSV, JSON, PDF or Word file, or a picture
option-file-data = A photo of the problem, or data that the programs may read, such as a CSV file
option-file-more = One more file
command-reset = reset
command-reset-about = Make the model forget this channel's conversation
command-stop = stop
command-stop-about = Stop the answer you are being given in this channel
command-help = help
command-help-about = How to talk with the model

help-title = Talking with the model
help-text =
    Ask with **/chat**, mention me, reply to one of my messages, or write to me directly.
    Each channel, thread and direct message is one conversation, and I remember it.
    With **/ask** I answer in a thread of its own, and with **/chat** and `private` for you alone.
    With **/article** I write an illustrated article, which you can edit afterwards.
    With **/solve** I work a problem out with programs; you can read each step.
    Give me pictures, texts, code, tables, PDF or Word files along with a question.
    On a message, *Apps* offers **Ask about this**, **Explain image**, **Solve this** and **Summarise from here**.

    With **/reset** I forget the conversation of this channel; **/history** shows what I remember.
    With **/export** I give you all I keep of you, and with **/forget** I remove it.
    With **/stop**, or the Stop button, an answer ends early; what was written stays.

    Answers come from a language model. They can be wrong.

## An answer and its notes

button-stop = Stop
note-stopped = Stopped.
note-length = Cut here: the longest allowed answer was reached.
note-repetition = Ended here: the model began to repeat itself. The repeats were removed.
note-deadline = Ended here: there was no more time.
note-files-refused = Discord did not take a file that belongs here.
text-refused = Discord did not take the text of this message. A filter of this server, or of Discord, may have blocked it.
link-refused = ‹link removed: Discord blocks it›
answer-goes-on = The answer goes on. The rest will come as a file.
answer-in-file = Discord allows no further messages here. The file has the whole answer.
note-omitted = { $turns ->
    [one] The oldest turn of this conversation no longer fits and was left out.
   *[other] The { $turns } oldest turns of this conversation no longer fit and were left out.
}
note-unseen = { $pictures ->
    [one] An earlier picture of this conversation is no longer seen: post it again to ask about it.
   *[other] { $pictures } earlier pictures of this conversation are no longer seen: post one again to ask about it.
}
note-read = Read in the picture: { $text }
note-read-nothing = No text could be read in the picture.
note-summarised = { $turns ->
    [one] The turn before is remembered in short: /history shows how.
   *[other] The { $turns } turns before are remembered in short: /history shows how.
}

## How an answer was come to

check-card =
    { $check }
    -# { $summary }
check-verified = ✅ **Verified.** The answer was put to a test of its own, and it holds.
check-refuted = ❌ **Refuted.** The answer was put to a test of its own, and it does not hold. Do not rely on it.
check-none = ⚪ **Not checked.** There was no test for this answer. Look it over before you rely on it.
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
work-forgotten = The steps of this answer are no longer kept.
tool-python = Python
tool-python-about = Runs a program in a sandbox, with sympy, numpy and matplotlib
tool-read-picture = Reading the picture
tool-read-picture-about = Reads the text in the pictures of this conversation
tool-calculate-about = Works out an expression exactly
tool-convert-about = Converts a quantity to another unit
tool-now-about = Tells date and time anywhere
tool-search-channel-about = Searches what was said in this conversation
tool-search-files-about = Searches the files that came with the question
tool-arxiv-about = Searches arXiv for papers
tool-search-web-about = Searches the web
tools-title = Tools
tools-none = No running model has tools.
tools-default = Nothing was chosen here: /chat calls no tools. /solve runs programs and converts units in any case.
tools-chosen = In this channel /chat may call those with ●, and /solve those of them that search. /solve runs programs and converts units in any case.
tools-asks = Before each call the person who asked decides whether it is made.
tools-ask-on = Ask before each call
tools-ask-off = Do not ask before calls
tools-choose = Choose what the model may call here
step-output = Output
step-timeout = took too long and was ended
step-refused = was not run
step-other-way = That was not run. Trying another way…
step-repairing = That did not work. Repairing…
step-asks = Shall this be run?
step-figures = { $count ->
    [one] one plot
   *[other] { $count } plots
}
plot-alt = Plot { $number }, drawn by the program of step { $step }
lasting-seconds = { $seconds } s
lasting-minutes = { $minutes } min
solve-unsolved = No answer was found in the steps that are allowed. Please put the problem in other words, or in smaller parts.
solve-nowhere = Problems cannot be solved here right now: no running model can run programs safely. Please ask with /chat; whoever runs the bot sees with `python -m inference.sandbox check` what is missing.
solve-files = Please solve the problem in what I posted.
numbers-title = Solve with other numbers
numbers-changed = With other numbers: { $changes }
numbers-same = Those are the same numbers. Nothing was solved anew.

## An illustrated article

article-planning = 📝 **Planning the article…**
article-writing =
    ✅ Planned
    ✍️ **Writing** · { $done } of { $total } sections
article-illustrating =
    ✅ Planned
    ✅ Written
    🖼️ **Pictures** · { $done } of { $total } looked for, { $placed } placed
article-changing = ⏳ **Being changed:** { $heading }
vote-counted = Noted, thank you. 👍 { $up } · 👎 { $down }
article-edit = Edit
article-download = Download
article-why = Why no picture here?
article-nowhere = Articles cannot be written here right now: no running model can. Please ask with /chat.
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
article-look = Look for another
article-back = Back
article-take = Choose a picture
article-no-candidates = No other picture can be offered now. You can have one looked for.
article-heading = Heading
article-words = Text (Markdown)
article-text-title = Edit this section
article-wish = Your wish (may be empty)
article-rewrite-title = Rewrite this section
article-expand-title = Expand this section
article-shorten-title = Shorten this section
article-working = ⏳ A section is being changed. It appears in the article when it is done.
article-long = This section is too long for the form. You can have it shortened or rewritten.
article-not-there = This is no longer there. Please open the editor once more.
article-not-yours = This is an article by { $name }, and only they can edit it. You can download it, or have one of your own written with /article.
article-bundle = The article as Markdown with its pictures, and as one page that can be read and printed anywhere.
article-too-large = This article is too large for one file here.
why-line = *{ $what }*: { $why }
why-nothing = there is no picture of this here
why-another = the pictures that came nearest show something else
why-weak = no picture comes near enough to be sure
why-unsure = several pictures come equally near, and only one would be right
why-seen = a closer look at the nearest picture showed that it is of something else
why-unreadable = nobody could tell for certain what the nearest picture shows
why-removed = it was taken away
why-unsaid = the section was changed, and no longer speaks of it
why-choose = { $count ->
    [one] Its author may still choose another one, in the editor.
   *[other] Its author may still choose one of { $count } others, in the editor.
}
why-none = Every place for a picture has one.
why-note = A place stays empty where no picture surely fits: none is better than a wrong one.

## What may be done about an answer

button-retry = Try again
button-again = Again
button-edit = Edit
button-undo = Undo
button-more = Continue
button-allow = Run it
button-forbid = Do not run it
allow-not-yours = Only the person who asked, or somebody who may manage messages here, can decide this.
button-steps = Steps
button-thoughts = Thoughts
button-numbers = Other numbers
button-latex = LaTeX
latex-forgotten = The formulas of this answer are no longer kept.
edit-title = Edit your question
edit-question = Question
undo-done = Taken back: the model no longer knows this question and its answer.
action-busy = An answer is being written here. Please wait for it, or stop it.
action-old = Only the latest answer can be changed. Reply to this one to go on from here.
action-forgotten = The model no longer remembers this answer. Please ask again.
access-elsewhere = This belongs to another channel, or to another person. Please use it where it was shown to you.
access-forgotten = This form or button is of another version and does nothing any more. Please open it once more.
action-long = This question is too long for the form. Please ask it again.
action-not-yours = Only the person who asked, or somebody who may manage messages here, can do this.
retry-not-yours = Only the person who asked can ask this once more.
retry-forgotten = This question is no longer known. Please ask it anew.
action-not-your-question = Only the person who asked can edit the question.

## While a question waits

about-seconds = about { $count } s
about-minutes = about { $count } min
about-hours = about { $count } h
waiting-next = Your question is next in line.
waiting-place = Your question is number { $place } in line.
waiting-place-time = Your question is number { $place } in line, { $time } to go.
waiting-loading = The model is loading. Your question is kept and will be answered.
waiting-loading-progress = The model is loading ({ $percent } %). Your question is kept and will be answered.
waiting-no-worker = No model is running right now. Your question is kept and will be answered when one is.
waiting-no-able = No model that can do this is running right now. Your question is kept and will be answered when one is.
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
about-forgotten = This message cannot be read any more. Please open the form once more.
file-data = `{ $name }` is there for the programs, all of it.
file-read = Read `{ $name }`.
file-cut = Read the first { $characters } characters of `{ $name }`; the rest does not fit.
file-cut-pages = Read the first { $read } of { $pages } pages of `{ $name }`; the rest does not fit.
file-unseen = The model that runs here cannot see pictures: it was not shown { $names }.
file-text-only = Of { $names } only the text that can be read in it was given to the model, which does not see the picture itself.
file-voice = `{ $name }` is a voice message, and I cannot listen. Please write.
file-audio = `{ $name }` is a recording, and I cannot listen.
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
file-video = `{ $name }` is a video, which I cannot watch. Pictures of it I may be able to see.
file-program = `{ $name }` is a program or library, not a document. It was not opened.
file-broken = `{ $name }` is damaged and was not read.
file-encrypted = `{ $name }` is locked with a password and was not read.
file-no-text = There is no text in `{ $name }`; perhaps its pages are pictures.
file-scanned = The pages of `{ $name }` are pictures of text, which I cannot read in a PDF. Please post them as pictures.
file-pixels = `{ $name }` has too many pixels and was not read.
file-too-much = `{ $name }` unpacks to too much and was not read.
file-slow = Reading `{ $name }` took too long, so it was not read.
file-busy = Too many files are being read right now, so `{ $name }` was not. Please ask again in a minute.
file-no-room = There was no room left for `{ $name }`.
file-full = There is no room to keep `{ $name }` right now. Please ask again in a few minutes.
file-full-user = There is no room to keep `{ $name }`: your files already take all that one person may use. Please ask again in a minute, or when your other questions are answered.
file-full-server = There is no room to keep `{ $name }`: files posted in this server already take all that one server may use. Please ask again in a few minutes.
file-lost = `{ $name }` could not be fetched.
file-without-pictures = The pictures in `{ $name }` were not read, only its text.
file-without-charts = The charts in `{ $name }` were not read, only its text.
file-without-diagrams = The SmartArt diagrams in `{ $name }` were not read, only its text.
file-without-objects = The embedded objects in `{ $name }` were not read, only its text.
file-assumed-encoding = `{ $name }` does not say how its letters are encoded. I assumed { $encoding }.
file-repaired = Some bytes of `{ $name }` were no valid characters. They were replaced or left out.
file-cleaned = Terminal codes or control characters in `{ $name }` were left out.
reply-deleted = The message that you replied to was deleted: I could not read it.
reply-hidden = I am not allowed to read the message that you replied to. On that message, *Apps* → **Ask about this** lets me read it.
reply-forbidden = I may not read the message that you replied to: I need the permission *Read Message History*. On that message, *Apps* → **Ask about this** lets me read it.
reply-lost = The message that you replied to could not be fetched.
thread-deleted = The message that this thread began with was deleted: I could not read it.
thread-hidden = I am not allowed to read the message that this thread began with. On that message, *Apps* → **Ask about this** lets me read it.
thread-unreadable = I may not read the message that this thread began with: I need the permission *Read Message History*.
thread-lost = The message that this thread began with could not be fetched.
quote-cut = Read the first { $characters } characters of what { $name } wrote; the rest does not fit.
quote-unread = The model that sees pictures here reads nothing beside the question: it was not given what { $names } wrote.
quote-cut-newest = Read only the newest messages, { $characters } characters of them; the rest does not fit.
files-more = { $count ->
    [one] One more file was not read: that is as many as one question may have.
   *[other] { $count } more files were not read: that is as many as one question may have.
}
summary-unread = { $count ->
    [one] One message is missing: I am not allowed to read it. The operator can turn on the message-content intent.
   *[other] { $count } messages are missing: I am not allowed to read them. The operator can turn on the message-content intent.
}
summary-more = Read the first { $count } messages from there; there are more.
thread-not-here = Threads are opened in a server's text channels. Here, please use /chat.
thread-forbidden = A thread needs your permission and mine to open one here. Please use /chat.
history-forbidden = I may not read earlier messages here: I need the permission *Read Message History*.
history-not-yours = You may not read earlier messages here, so I do not tell you of them.
history-unreadable = I am not allowed to read other people's messages here. The operator can turn on the message-content intent.

## Why there is no answer

channel-off = I am switched off in this channel.
roles-only = The admins let only some roles talk with me here.
often-minute = { $limit ->
    [one] One question a minute is allowed. The next one can be asked in { $time }.
   *[other] That is { $limit } questions in a minute, as many as are allowed. The next one can be asked in { $time }.
}
often-day = { $limit ->
    [one] One question a day is allowed. The next one can be asked in { $time }.
   *[other] That is { $limit } questions in a day, as many as are allowed. The next one can be asked in { $time }.
}
too-soon = You did that a moment ago. You can do it again in { $time }.
often-tokens = Your questions and answers took { $limit } tokens within a day, as many as are allowed. You can ask again in { $time }.
often-megabytes = That would be more than { $limit } MB of files within a day, as much as is allowed. You can post them in { $time }, and ask without files now.

full-user = You have { $waiting } questions open, and { $limit } are allowed. Please wait for one of them.
full-channel = This channel has { $waiting } questions open, and { $limit } are allowed. Please try again when one is answered.
full-server = This server has { $waiting } questions open, and { $limit } are allowed. Please try again in a while.
full-total = Very many people are asking right now ({ $waiting } questions wait). Please try again in a few minutes.
full-memory = The service is out of memory for new questions. Please try again in a few minutes.
unavailable = The service cannot be reached right now. Please try again in a minute.

prompt-empty = There is nothing to answer. Please write a question.
prompt-unreadable = I cannot read your message here. Please mention me in it, or use /chat.
prompt-long = Your question has { $length } characters, and { $limit } are allowed. Please shorten it.

failed-bad_request = The model could not take this question.
failed-too_long = The question is too long for the model. Please shorten it.
failed-unsupported = No running model can do this.
failed-no_programs = Programs cannot be run here, so this cannot be solved: the sandbox they need is missing. Whoever runs the bot can read why in the worker's log.
failed-no_answer = I tried several programs and none came to an answer.
failed-no_text = I could not read any text in the picture. Please write the problem down.
failed-engine = The model broke while answering. Please ask again.
failed-deadline = There was no time left to answer. Please ask again.
failed-cancelled = Stopped before the answer began.
failed-dead = This question failed several times and was given up.
failed-lost = This question was lost on our side. Please ask again.
answer-empty = The model had nothing to say.
answer-repeated = The model repeated itself and came to no answer. Ask again, or in other words.
internal = Something went wrong on our side. It is in the log under { $reference }.

## Commands' own words

reset-done = { $turns ->
    [0] There was nothing to forget in this channel.
    [one] Forgotten: one turn of this channel's conversation.
   *[other] Forgotten: { $turns } turns of this channel's conversation.
}
reset-ask = { $turns ->
    [one] The model would forget the one turn of this channel's conversation.
   *[other] The model would forget { $turns } turns of this channel's conversation, which { $people } people share.
}
reset-button = Forget this conversation
reset-undo = Undo
reset-undone = { $turns ->
    [one] The one turn of this channel's conversation is remembered again.
   *[other] { $turns } turns of this channel's conversation are remembered again.
}
reset-not-yours = Others have a part in this conversation. Only somebody who may manage messages here can make me forget it; /forget removes your own part.
reset-undo-not-yours = Only the person who did this, or somebody who may manage messages here, can undo it.
reset-gone = This can no longer be brought back: what was forgotten is kept for an hour, and only the last time.
stop-done = { $count ->
    [one] The answer is being stopped.
   *[other] { $count } answers are being stopped.
}
stop-nothing = You have no answer to stop in this channel.
stop-not-yours = Only the person who asked, or somebody who may manage messages here, can stop this answer.
stop-over = This answer is already complete.

## Settings

channel-admins-only = Only those who may manage this channel or this server can change that.
admins-only = Only those who may manage this server can change that.
settings-title = Settings
settings-inherited = ● decided here　○ from the server or the default
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
settings-any-model = Any model that is free
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
settings-reset = Who may /reset what others said
settings-reset-managers = who may manage messages
settings-reset-everybody = everybody
settings-reset-switch = Who may /reset
settings-language = Language
settings-own-language = each person's own
settings-clear = Reset all of these
settings-changes = Who changed what
settings-changed = Last changed { $when } by { $who }
settings-wrong = That cannot be set.
settings-wrong-sampling = Temperature is a number from 0 to 2, top-p one above 0 up to 1, the longest answer a whole number of tokens from 1 to 100,000. Nothing was changed.
settings-wrong-limits = A limit is a whole number: of questions from 1 to 10,000, of tokens to 1,000,000,000, of MB to 1,000,000. Leave it empty for what holds otherwise. Nothing was changed.
persona-is = { $persona }
persona-none = No persona is set here; the model is as the operator set it up.
persona-set = The persona is set for this channel. It begins with the next question.
persona-back = The persona of this channel was taken back.
model-list =
    Models that run now:
    { $models }
model-unknown = No running model is called { $model }.
model-set = This channel is answered by `{ $model }` from now on, as long as it runs.
model-back = This channel is answered by any model from now on.

## What is remembered

history-title = What I remember here
history-none = Nothing yet. The conversation begins with your first question.
history-turns = { $turns ->
    [one] One turn, { $tokens } tokens
   *[other] { $turns } turns, { $tokens } tokens
}
history-context = { $share } % of the { $tokens } tokens that the model reads at once
history-since = The oldest is from { $since }.
history-omitted = { $turns ->
    [one] The oldest turn no longer fits and is left out.
   *[other] The { $turns } oldest turns no longer fit and are left out.
}
history-summary = { $turns ->
    [one] The turn before, in short:
   *[other] The { $turns } turns before, in short:
}
history-pictures = The model sees these pictures: { $names }.
history-pictures-gone = No longer seen: { $names }. Post one again to ask about it.
history-pictures-read = No running model sees pictures; of those posted here, the text that was read in them is remembered.
history-pictures-blind = No running model sees the pictures that were posted here.
history-note = /reset forgets this conversation. Conversations end by themselves after 90 days.
export-done = { $turns ->
    [0] I keep no turns of yours.
    [one] One turn of yours, and your recent questions.
   *[other] { $turns } turns of yours, and your recent questions.
}
forget-title = Forget me
forget-ask = This removes your questions and their answers from every conversation, and your recent questions. It cannot be undone. Messages in Discord stay; delete those yourself.
forget-button = Forget everything
forget-done = { $turns ->
    [one] Forgotten: one turn. The record of a question that is still being answered goes within a day.
   *[other] Forgotten: { $turns } turns. The record of a question that is still being answered goes within a day.
}

## How the service is

status-title = Status
status-no-worker = No model is running right now.
status-busy = { $running } of { $slots } places taken
status-waiting = { $count ->
    [0] No question is waiting.
    [one] One question is waiting.
   *[other] { $count } questions are waiting.
}
status-latency = Discord { $discord } ms · queue { $queue } ms
status-latency-queue = Queue { $queue } ms
phase-loading = loading
phase-ready = ready
phase-degraded = in difficulty
phase-draining = about to stop

## The line under the bot's name

presence-ready = /chat
presence-loading = Loading the model…
presence-loading-progress = Loading the model… { $percent } %
presence-no-worker = No model is running
presence-queue = The queue is unreachable
