// A small bot on discord.js, which knows nothing of the local Discord but its address.
// It prints a line of JSON for each thing that it saw.

const {
  ActionRowBuilder, ApplicationCommandType, AttachmentBuilder, ButtonBuilder, ButtonStyle, Client,
  ContainerBuilder, ContextMenuCommandBuilder, Events, GatewayIntentBits, LabelBuilder,
  MessageFlags, ModalBuilder, Partials, Routes, SlashCommandBuilder, StringSelectMenuBuilder,
  TextDisplayBuilder, TextInputBuilder, TextInputStyle,
} = require('discord.js');

const client = new Client({
  rest: { api: process.env.API },
  intents: [
    GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessageReactions, GatewayIntentBits.DirectMessages,
  ],
  partials: [Partials.Channel],
});

const tell = (seen) => console.log(JSON.stringify(seen));
const file = (text, name) => new AttachmentBuilder(Buffer.from(text), { name });
const fail = (error) => tell({ failed: error.stack ?? String(error) });

for (const event of ['error', 'warn', 'shardError']) client.on(event, fail);
process.on('unhandledRejection', fail);
client.on('shardResume', () => tell({ resumed: true }));

client.once(Events.ClientReady, async () => {
  const commands = await client.application.commands.set([
    new SlashCommandBuilder().setName('ping').setDescription('Say pong')
      .addStringOption((option) => option.setName('what').setDescription('What')),
    new ContextMenuCommandBuilder().setName('Look').setType(ApplicationCommandType.Message),
  ]);
  const guilds = client.guilds.cache.map((guild) => guild.name);
  tell({ commands: commands.map((command) => command.name), guilds });
});

client.on(Events.MessageCreate, async (message) => {
  if (message.author.bot) return;
  if (!message.guild) {
    tell({ private: message.content });
    await message.reply('in private too');
    return;
  }
  if (!message.content.includes('answer me')) return;
  tell({ member: message.member.displayName });
  const sent = await message.reply(
    { content: 'answer', files: [file('abc', 'x.txt')], allowedMentions: { repliedUser: false } },
  );
  await sent.edit('answer edited');
  const { messages } = message.channel;
  const got = await messages.fetch({ message: sent.id, force: true });
  const quoted = await got.fetchReference();
  tell({ fetched: got.content, quoted: quoted.content.includes('answer me') });
  tell({ file: await (await fetch(got.attachments.first().url)).text() });
  await sent.react('👍');
  await sent.reactions.cache.get('👍').users.remove(client.user);
  tell({ history: (await messages.fetch({ limit: 5 })).has(sent.id) });
  await sent.delete();
  await messages.fetch({ message: sent.id, force: true })
    .catch((error) => tell({ deleted: error.code }));
  await message.channel.send('x'.repeat(2001))
    .catch((error) => tell({ refused: error.code, errors: Object.keys(error.rawError.errors) }));
  const thread = await message.startThread({ name: 'a thread' });
  await thread.send('in it');
  tell({ thread: thread.name });
});

client.on(Events.InteractionCreate, async (used) => {
  if (used.isChatInputCommand()) await ping(used);
  else if (used.isMessageContextMenuCommand()) {
    tell({ looked: [used.targetMessage.content] });
    await used.showModal(form());
  } else if (used.isButton()) {
    if (used.customId === 'press') await used.update({ content: 'pressed', components: [] });
    else await used.showModal(form());
  } else if (used.isStringSelectMenu()) {
    await used.deferUpdate();
    await used.editReply(`chosen ${used.values.join()}`);
  } else if (used.isModalSubmit()) {
    tell({ form: used.fields.getTextInputValue('field') });
    await used.reply({ content: 'thanks', flags: MessageFlags.Ephemeral });
  }
});

async function ping(used) {
  const what = used.options.getString('what');
  tell({ options: what === null ? [] : [what] });
  await used.deferReply();
  const button = (id, label) => new ButtonBuilder().setCustomId(id).setLabel(label);
  const row = new ActionRowBuilder().addComponents(
    button('press', 'Press').setStyle(ButtonStyle.Primary).setEmoji('👍'),
    button('open', 'Open').setStyle(ButtonStyle.Secondary),
  );
  await used.editReply({ content: 'pong', components: [row] });
  const menu = new StringSelectMenuBuilder().setCustomId('menu')
    .addOptions({ label: 'A', value: 'a' }, { label: 'B', value: 'b' });
  const more = await used.followUp({
    content: 'more',
    components: [new ActionRowBuilder().addComponents(menu)],
    files: [file('file', 'f.txt')],
    flags: MessageFlags.Ephemeral,
  });
  await used.editReply({ message: more, content: 'more, edited' });
  tell({ initial: (await used.fetchReply()).content });
  const box = new ContainerBuilder().setAccentColor(0x5865f2)
    .addTextDisplayComponents(new TextDisplayBuilder().setContent('## In a box'));
  await used.followUp({ flags: MessageFlags.IsComponentsV2, components: [box] });
  const body = { type: 4, data: { content: 'twice' } };
  await client.rest.post(Routes.interactionCallback(used.id, used.token), { body, auth: false })
    .catch((error) => tell({ twice: error.code }));
}

function form() {
  const field = new TextInputBuilder().setCustomId('field').setStyle(TextInputStyle.Short);
  return new ModalBuilder().setCustomId('form').setTitle('Form').addLabelComponents(
    new LabelBuilder().setLabel('Say').setTextInputComponent(field),
  );
}

client.login(process.env.TOKEN);
