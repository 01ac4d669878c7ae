// A description as large as the largest that cameras have: about 3000 named nodes and 1.3 MB, of a mix like theirs (masked registers
// in shared words, floats behind converters, enumerations whose entries come and go, selectors, invalidators, texts). Purpose: what
// bench/genapi.mjs measures and what the tests load. Made from numbers alone, so that it is the same at every run.

const GROUPS = 150
const PER_GROUP = 20

/** Registers lie here, 256 bytes to a group. */
const BASE = 0x10000

/** Text of a length that tool tips of real descriptions have. */
const prose = (name) => `${name}: a feature of a camera that does not exist, with a text of the usual length.`

const texts = (name, visibility = 'Expert') =>
  `<ToolTip>${prose(name)}</ToolTip><Description>${prose(name)}</Description>` +
  `<DisplayName>${name.replace(/(\d+)/, ' $1')}</DisplayName><Visibility>${visibility}</Visibility>`

const place = (address, length = 4) =>
  `<Address>0x${address.toString(16)}</Address><Length>${length}</Length><AccessMode>RW</AccessMode><pPort>Device</pPort>`

function invalidators(group, count) {
  let text = ''
  for (let i = 1; i <= count; i++) text += `<pInvalidator>Mode${(group + 7 * i) % GROUPS}</pInvalidator>`
  return text
}

/** Nodes of one group: 4 masked bits, an integer, a float behind a converter, an enumeration, a command and what they stand on. */
function group(g) {
  const at = BASE + 0x100 * g
  const nodes = []
  const add = (kind, name, rest) => nodes.push(`<${kind} Name="${name}" NameSpace="Custom">${rest}</${kind}>`)
  add(
    'Category',
    `Group${g}`,
    `${texts(`Group${g}`)}${FEATURES.map((name) => `<pFeature>${name}${g}</pFeature>`).join('')}`,
  )
  for (let bit = 0; bit < 4; bit++) {
    add(
      'MaskedIntReg',
      `Bit${bit}Reg${g}`,
      `${place(at)}${invalidators(g, 6)}<Bit>${bit}</Bit><Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`,
    )
  }
  add('IntReg', `SelectorReg${g}`, `${place(at + 4)}<Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`)
  add(
    'Integer',
    `Selector${g}`,
    `${texts(`Selector${g}`)}<pValue>SelectorReg${g}</pValue><Min>0</Min><Max>3</Max><pSelected>Level${g}</pSelected>`,
  )
  add(
    'IntReg',
    `LevelReg${g}`,
    `<Address>0x${(at + 0x10).toString(16)}</Address><pIndex Offset="4">Selector${g}</pIndex><Length>4</Length><AccessMode>RW</AccessMode>` +
      `<pPort>Device</pPort>${invalidators(g, 4)}<Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`,
  )
  add(
    'Integer',
    `Level${g}`,
    `${texts(`Level${g}`)}<Streamable>Yes</Streamable><pIsAvailable>Bit0Reg${g}</pIsAvailable><pValue>LevelReg${g}</pValue><Min>0</Min><pMax>LevelMax${g}</pMax>`,
  )
  add(
    'IntSwissKnife',
    `LevelMax${g}`,
    `<pVariable Name="SEL">Selector${g}</pVariable><pVariable Name="MODE">ModeReg${g}</pVariable><Formula>(SEL = 0) ? 0xFFFF : ((MODE &gt; 1) ? 4095 : 1023)</Formula>`,
  )
  add('IntReg', `RateReg${g}`, `${place(at + 0x20)}<Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`)
  add(
    'Converter',
    `RateConverter${g}`,
    `<pVariable Name="MODE">ModeReg${g}</pVariable><FormulaTo>FROM * 1000 / (MODE + 1)</FormulaTo><FormulaFrom>TO * (MODE + 1) / 1000</FormulaFrom><pValue>RateReg${g}</pValue><Slope>Increasing</Slope>`,
  )
  add(
    'Float',
    `Rate${g}`,
    `${texts(`Rate${g}`, 'Beginner')}<pIsLocked>TLParamsLocked</pIsLocked><pValue>RateConverter${g}</pValue><Unit>Hz</Unit><Representation>Linear</Representation>`,
  )
  add('IntReg', `ModeReg${g}`, `${place(at + 0x24)}<Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`)
  let entries = ''
  for (const [value, entry] of ['Off', 'Once', 'Continuous', 'External'].entries()) {
    entries += `<EnumEntry Name="${entry}" NameSpace="Custom">${texts(entry)}<pIsImplemented>Bit${value}Reg${g}</pIsImplemented><Value>${value}</Value></EnumEntry>`
  }
  add(
    'Enumeration',
    `Mode${g}`,
    `${texts(`Mode${g}`, 'Beginner')}<Streamable>Yes</Streamable>${entries}<pValue>ModeReg${g}</pValue>`,
  )
  add(
    'FloatReg',
    `TemperatureReg${g}`,
    `${place(at + 0x28)}<PollingTime>1000</PollingTime><Endianess>BigEndian</Endianess>`,
  )
  add(
    'Float',
    `Temperature${g}`,
    `${texts(`Temperature${g}`)}<pValue>TemperatureReg${g}</pValue><Unit>C</Unit>`,
  )
  add('StringReg', `Label${g}`, `${texts(`Label${g}`, 'Guru')}${place(at + 0x40, 32)}`)
  add('IntReg', `TriggerReg${g}`, `${place(at + 0x60)}<Sign>Unsigned</Sign><Endianess>BigEndian</Endianess>`)
  add(
    'Command',
    `Trigger${g}`,
    `${texts(`Trigger${g}`)}<pValue>TriggerReg${g}</pValue><CommandValue>1</CommandValue>`,
  )
  return nodes
}

const FEATURES = ['Selector', 'Level', 'Rate', 'Mode', 'Temperature', 'Label', 'Trigger']

/** All names that a user would read, in the order of the description; commands excluded. */
export const generatedFeatures = () =>
  Array.from({ length: GROUPS }, (_, g) =>
    FEATURES.filter((name) => name !== 'Trigger').map((name) => `${name}${g}`),
  ).flat()

/** Memory in which every register holds something that its nodes accept. Addresses from 0. */
export function generatedMemory() {
  const memory = new Uint8Array(BASE + 0x100 * GROUPS)
  const view = new DataView(memory.buffer)
  for (let g = 0; g < GROUPS; g++) {
    const at = BASE + 0x100 * g
    view.setUint32(at, 0xf0000000)
    view.setUint32(at + 4, g % 4)
    for (let i = 0; i < 4; i++) view.setUint32(at + 0x10 + 4 * i, (100 * g + i) % 1000)
    view.setUint32(at + 0x20, 1000 * g)
    view.setUint32(at + 0x24, g % 4)
    view.setFloat32(at + 0x28, 20 + g / 8)
    memory.set(new TextEncoder().encode(`label ${g}`), at + 0x40)
  }
  return memory
}

export function generatedDescription() {
  const groups = Array.from({ length: GROUPS }, (_, g) => group(g))
  if (groups.some((nodes) => nodes.length !== PER_GROUP))
    throw new Error(`a group has ${groups[0].length} nodes`)
  const root = groups.map((_, g) => `<pFeature>Group${g}</pFeature>`).join('')
  return `<?xml version="1.0" encoding="utf-8"?>
<RegisterDescription ModelName="Generated" VendorName="Nobody" ToolTip="" StandardNameSpace="GEV" SchemaMajorVersion="1" SchemaMinorVersion="1"
  SchemaSubMinorVersion="0" MajorVersion="1" MinorVersion="0" SubMinorVersion="0" ProductGuid="" VersionGuid=""
  xmlns="http://www.genicam.org/GenApi/Version_1_1">
<Category Name="Root" NameSpace="Standard">${root}</Category>
<Port Name="Device" NameSpace="Standard"/>
${groups.map((nodes) => nodes.join('\n')).join('\n')}
</RegisterDescription>
`
}
