### What people read, in English.

## Commands: names are what people type after the slash

command-chat = chat
command-chat-about = Ask the model; everyone here sees the answer
command-ask = ask
command-ask-about = Ask in a thread of its own, so that the channel stays readable
command-thread = thread
command-thread-about = Open a thread for a question and answer it there
command-about = Ask about this
command-summarise = Summarise from here
option-prompt = prompt
option-prompt-about = Your question, up to 6,000 characters
option-private = private
option-private-about = Only you see the answer; it is a conversation of your own
option-reset-private-about = Your private conversation here, in place of the channel's
option-file = file
option-file2 = file2
option-file3 = file3
option-file-about = A text, code, CSV, JSON, PDF or Word file, or a picture
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
    Give me texts, code, tables, PDF or Word files along with a question.
    On a message, *Apps* offers **Ask about this** and **Summarise from here**.

    With **/reset** I forget the conversation of this channel; **/history** shows what I remember.
    With **/export** I give you all I keep of you, and with **/forget** I remove it.
    With **/stop**, or the Stop button, an answer ends early; what was written stays.

    Answers come from a language model. They can be wrong.

## An answer and its notes

button-stop = Stop
note-stopped = Stopped.
note-length = Cut here: the longest allowed answer was reached.
note-deadline = Ended here: there was no more time.
note-omitted = { $turns ->
    [one] The oldest turn of this conversation no longer fits and was left out.
   *[other] The { $turns } oldest turns of this conversation no longer fit and were left out.
}

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
waiting-running = The model is reading your question…
waiting-queue = The queue cannot be reached right now. Your question is kept and will be answered.

## Files and messages that a question is about

prompt-files = Please look at what I posted and tell me what is in it.
summary-prompt = Please sum up this conversation in a few sentences: who said what, what was decided, what is open.
about-title = Ask about this message
about-question = Your question
about-whom = About the message by { $name }
file-read = Read `{ $name }`.
file-cut = Read the first { $characters } characters of `{ $name }`; the rest does not fit.
file-cut-pages = Read the first { $read } of { $pages } pages of `{ $name }`; the rest does not fit.
file-unseen = The model that runs here cannot see pictures: it was not shown { $names }.
file-voice = `{ $name }` is a voice message, and I cannot listen. Please write.
file-audio = `{ $name }` is a recording, and I cannot listen.
file-empty = `{ $name }` is empty.
file-large = `{ $name }` is larger than { $megabytes } MB and was not read.
file-unknown = `{ $name }` is of a kind that I cannot read.
file-broken = `{ $name }` is damaged and was not read.
file-encrypted = `{ $name }` is locked with a password and was not read.
file-no-text = There is no text in `{ $name }`; perhaps its pages are pictures.
file-pixels = `{ $name }` has too many pixels and was not read.
file-too-much = `{ $name }` unpacks to too much and was not read.
file-no-room = There was no room left for `{ $name }`.
file-lost = `{ $name }` could not be fetched.
thread-not-here = Threads are opened in a server's text channels. Here, please use /chat.
thread-forbidden = A thread needs your permission and mine to open one here. Please use /chat.
history-forbidden = I may not read earlier messages here.
history-unreadable = I am not allowed to read other people's messages here. The operator can turn on the message-content intent.

## Why there is no answer

channel-off = I am switched off in this channel.
roles-only = The admins let only some roles talk with me here.
often-minute = That is { $limit } questions in a minute, as many as are allowed. The next one can be asked in { $time }.
often-day = That is { $limit } questions in a day, as many as are allowed. The next one can be asked in { $time }.

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
failed-engine = The model broke while answering. Please ask again.
failed-deadline = There was no time left to answer. Please ask again.
failed-cancelled = Stopped before the answer began.
failed-dead = This question failed several times and was given up.
failed-lost = This question was lost on our side. Please ask again.
answer-empty = The model had nothing to say.
internal = Something went wrong on our side. It is in the log under { $reference }.

## Commands' own words

reset-done = { $turns ->
    [0] There was nothing to forget in this channel.
    [one] Forgotten: one turn of this channel's conversation.
   *[other] Forgotten: { $turns } turns of this channel's conversation.
}
stop-done = { $count ->
    [one] The answer is being stopped.
   *[other] { $count } answers are being stopped.
}
stop-nothing = You have no answer to stop in this channel.
stop-not-yours = Only the person who asked, or somebody who may manage messages here, can stop this answer.
stop-over = This answer is already complete.

## The line under the bot's name

presence-ready = /chat
presence-loading = Loading the model…
presence-loading-progress = Loading the model… { $percent } %
presence-no-worker = No model is running
presence-queue = The queue is unreachable
