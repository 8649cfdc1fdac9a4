/**
 * What the community says. A line is `who: text`; `who<2: text` answers the message two before; `|` is a new line;
 * a line that begins with `+` is a reaction to the message before: emoji, then who. `who~: text => other text` is edited.
 * `{dawn}` at the end of a line is a picture of that view, and `> who` says that somebody comes into the room only now.
 */
export interface Talk {
  room?: string
  topic?: string
  /** The room's picture. */
  view?: string
  isPrivate?: boolean
  with?: [string, string]
  members?: string[]
  moderators?: string[]
  lines: string
}

/** Somebody who comes into the room only during its lines. */
export const isNewcomer = ({ lines }: Talk, name: string): boolean =>
  lines.split('\n').some(line => line.trim() === `> ${name}`)

const talksOfSome: Talk[] = [
  {
    room: 'Estuary survey',
    topic: 'Counts, gauges and who walks out when',
    view: 'dawn',
    members: ['ingrid', 'mara', 'leila', 'haruka', 'tomas', 'priya', 'wen_', 'ola', 'elif', 'sofia', 'jun', 'theo', 'anouk', 'freya'],
    moderators: ['mara', 'tomas'],
    lines: `
ingrid: Low water is 13:46, we walk out at 12:30. @mara can you bring the second scope?
+👍 mara priya jun wen_
+🥾 tomas elif
mara<1: Yes, it is in the van. Packing the dry bags now.
leila: صباح الخير! رأيت سربًا كبيرًا من الدريجة عند المصب، حوالي 400 طائر.
haruka: 北側の干潟から。光がきれいでした。 {dawn}
+🌅 mara leila wen_ priya
tomas~: Gauge 3 wrote every reading twice. => Gauge 3 wrote every reading twice. This drops the second copy:|\`\`\`|const seen = new Set()|export const once = (r) => !seen.has(r.id) && seen.add(r.id)|\`\`\`
priya: Counts are up, with the long-term mean: https://data.estuary-survey.example/counts/2026/11/12?site=north-flat&species=dunlin,knot,curlew&bin=15min#low-water
+🎉 ingrid mara jun
mara: Nice find. I will restart 3 and 4 when we pass.
elif<3: Does it also hold after a restart? @tomas the set starts empty again, doesn’t it?
elif: If so I can keep the last id on disk.
tomas<1: It does start empty. Keeping the last id is enough, the gauges never go back. Shall I take it?
+👍 elif mara
wen_: 我可以在周五之前测试一下
> theo
> freya
> anouk
priya: 412 dunlin, 96 knot, 31 curlew, and one very lost flamingo 🦩
+🦩 mara ingrid leila haruka jun tomas
+😂 elif wen_
ingrid: The flamingo is not in the protocol. I am adding it to the protocol.
ola: \`tide_mm\` comes back unsigned, so anything under chart datum wraps round to 65 thousand and something. Fixed in \`0.9.3\`.`
  },
  {
    room: 'Boat and tides',
    topic: 'Nobody crosses after 15:00',
    view: 'boat',
    members: ['ola', 'mara', 'haruka', 'ingrid', 'tomas', 'willa', 'kofi', 'oskar', 'quinn'],
    lines: `
ola: The outboard is back. New impeller, same noise. {boat}
+⛵ mara willa kofi
willa: Spring tides from Thursday, 5.4 m at the bar. Nobody crosses after 15:00 please.
haruka: 満潮 (high tide) は 19:58 です。橋の下は通れません。
mara: Then we go under the bridge before six, or over it on foot.
kofi<1: On foot I am in. Under it I have been once.
+😂 mara ola willa
oskar: Fuel: 22 litres, both cans. Flares are in date until March.`
  },
  {
    room: 'Sensor firmware',
    isPrivate: true,
    members: ['jun', 'mara', 'tomas', 'elif', 'ola'],
    moderators: ['tomas'],
    lines: `
jun: 0.9.4 is out, please hold the north gauges until it has run a night on the bench.
tomas: Bench is on it. Power draw 11 mA, was 14.
+🔋 jun elif
elif: Found why: the radio slept, the log did not.
jun<1: That sentence is the changelog.
+😄 elif tomas mara`
  },
  {
    room: 'Bird ringing',
    topic: 'Nets, rings and offended kingfishers',
    view: 'flock',
    members: ['freya', 'priya', 'ingrid', 'sofia', 'anouk', 'gus', 'paula', 'rosa', 'bjorn', 'amelie', 'thuy', 'lena'],
    lines: `
freya: Nets up at 05:40, down by nine if the wind turns. {flock}
rosa: Anillé 14 lavanderas y un martín pescador muy ofendido.
+💙 freya sofia gus
anouk: De lijst van gisteren staat online, 61 vangsten.
lena: Кольцо с прошлой весны, 1 140 км по прямой!
+🎉 freya rosa anouk paula`
  },
  {
    room: 'مراقبة الطيور',
    members: ['leila', 'nour', 'yusuf', 'dana', 'emre', 'chidi'],
    lines: `
leila: من سيأتي يوم الجمعة؟ نلتقي عند الجسر في السابعة.
nour: أنا قادمة، وسأحضر الشاي ☕
+☕ leila yusuf
yusuf<1: وأنا أيضًا. هل نحتاج المنظار الكبير؟`
  },
  {
    room: '干潟の写真',
    view: 'flats',
    members: ['haruka', 'wen_', 'hana', 'thuy', 'jun', 'mateo'],
    lines: `
haruka: 今朝の写真を整理しました。全部で四十八枚です。 {flats} {reeds} {night}
hana: 세 번째 사진이 제일 좋아요!
+❤️ haruka mateo
wen_: 光线真好，是几点拍的？
haruka<1: 六時十二分です。`
  },
  {
    room: 'Tea and cake',
    topic: 'The hut, after the survey',
    members: ['quinn', 'willa', 'mara', 'nani', 'uma', 'zoe', 'sanjay', 'viktor', 'ximena', 'ines', 'jakub', 'amelie', 'theo', 'chidi'],
    lines: `
quinn: There is lemon cake in the hut. This is not a drill.
+🍋 mara willa nani zoe
uma: चाय भी है, अदरक वाली।
zoe: Φέρνω κουλουράκια το Σάββατο.
jakub: Kto zjadł ostatni kawałek?
quinn<1: The protocol does not record that.
+😂 jakub mara theo`
  },
  {
    with: ['leila', 'mara'],
    lines: `
leila: وصلت، أنا عند الجسر الآن. المدّ ينحسر بسرعة اليوم 🌊 {flats}
+❤️ mara
mara<1: Perfect light. Stay there!
mara: On my way, 10 minutes. The scope is heavier than I remembered 😅
leila: Take the left path after the gate.
leila: And bring tea ☕`
  },
  { with: ['haruka', 'mara'], lines: 'haruka: 橋のところで待っています\nmara: 10分で行きます！' },
  {
    with: ['tomas', 'mara'],
    lines: 'tomas: The branch with the last id on disk is up for review.\nmara: Read it, two small things ' +
      'inside.\ntomas: Both done.\nmara: merged, thank you 🙏'
  },
  {
    with: ['ingrid', 'mara'],
    lines: 'ingrid: Can you take the causeway count next week?\nmara: Yes, Tuesday and Thursday.\n+🙏 ingrid'
  },
  {
    with: ['priya', 'mara'],
    lines: 'mara: Do you still have the raw counts from the north flat?\npriya: In the folder from October, sheet two.'
  },
  { with: ['wen_', 'mara'], lines: 'mara: 周五见！\nwen_: 好的，周五早上见' },
  { with: ['nani', 'mara'], lines: 'nani: Aloha! I am at the gate, which code?' }
]

const common = `
ola: Welcome aboard, everyone 👋 Rooms are under the #, people under the pen.
+👋 mara ingrid leila haruka tomas priya jun
sanjay: Is there a tide table that works without a connection?
mara<1: This app is one, if you write it down here.
+😂 sanjay quinn
viktor: Szia mindenkinek!
ines: Bom dia! Chove no estuário, claro.`

/** What was said in rooms, between two people, and, without either, in the common chat. */
export const talks: readonly Talk[] = [...talksOfSome, { lines: common }]
