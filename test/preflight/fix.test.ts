// `gigewire preflight --fix` as it is used: what it would do, that it does it, that it is taken back; and what it writes down in between.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { asRoot } from '../../lib/cli/preflight-report.js'
import { applyFix, planUndo, undoFix } from '../../lib/preflight/fix.js'
import { beginUndo, readUndo, undoFile } from '../../lib/preflight/undo-record.js'
import { cli, main, RunningCli } from '../cli/run-cli.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { facts } from './facts-builder.js'

const CAMERA = '10.99.0.2'
const RULES = `table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
  }
}`

describeWith(['netns', 'nft'], 'preflight --fix', () => {
  it('shows, asks, runs, looks again, and takes it back', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    const home = mkdtempSync(path.join(tmpdir(), 'gigewire-fix-'))
    try {
      cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
      await remoteSimulator(camera, { address: CAMERA, width: 320, height: 240, frameRate: 60 })
      host.nft(RULES)
      const rules = () => host.exec('nft', 'list', 'ruleset')
      const before = rules()
      const record = path.join(home, `gigewire/preflight-undo-${CAMERA}.json`)
      const run = async (...args: string[]) =>
        await new RunningCli(
          host.spawn('env', [`XDG_STATE_HOME=${home}`, process.execPath, main, 'preflight', ...args]),
        ).end()

      const unasked = await run(CAMERA, '--fix')
      expect([unasked.code, rules()]).toEqual([2, before])
      expect(unasked.stderr).toContain('Nobody is there to be asked')

      const fixed = await run(CAMERA, '--fix', '--yes')
      expect(fixed.code, fixed.stderr).toBe(0)
      expect(fixed.stdout).toMatch(/^WARNING .*\n[\s\S]*\nOK {6}Packets of 10\.99\.0\.2 arrive/)
      expect(fixed.stderr).toContain('To be run, as an administrator:')
      expect(rules()).toContain(`comment "gigewire-${CAMERA}-`)
      expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({
        version: 1,
        state: 'applied',
        camera: CAMERA,
      })

      // It is in force, and a second one does not lose the way back.
      const later = await run(CAMERA)
      expect(later.stderr).toContain('--undo takes it back')
      const inForce = rules()
      const notAsked = await run('--undo')
      expect([notAsked.code, rules(), existsSync(record)]).toEqual([2, inForce, true])
      const { undo } = JSON.parse(readFileSync(record, 'utf8')) as { undo: string[] }
      expect(notAsked.stderr).toContain(asRoot(undo[0]!)) // what would be run was shown
      const undone = await run('--undo', '--yes')
      expect([undone.code, rules()]).toEqual([0, before])
      expect((await run('--undo')).stdout).toBe('There is nothing to take back.\n')

      // One that was cut off before it had begun has nothing to take back, which is no failure.
      const cut = { version: 1, at: '2026-01-01', camera: CAMERA, state: 'applying', shell: 'sh', undo }
      writeFileSync(record, JSON.stringify(cut))
      const again = await run(CAMERA, '--fix', '--yes')
      expect([again.code, again.stderr]).toEqual([
        2,
        expect.stringContaining(`An earlier fix for ${CAMERA} was not taken back yet`),
      ])
      expect((await run(CAMERA, '--undo', '--yes')).code).toBe(0)
      expect([rules(), existsSync(record)]).toEqual([before, false])
    } finally {
      rmSync(home, { recursive: true })
    }
  })

  it('reports with other addresses, and exits with 3 where something is in the way', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-report-'))
    try {
      cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
      const file = path.join(folder, 'report.json')
      const { code, stdout } = await cli(host, 'preflight', CAMERA, '--report', file, '--redact')
      expect(code).toBe(3)
      expect(stdout).toMatch(/^ERROR {3}A host answers at 10\.99\.0\.2, but it is no camera/)
      const text = readFileSync(file, 'utf8')
      expect(text).not.toContain('10.99.0.')
      expect(JSON.parse(text)).toMatchObject({ ok: false, findings: [{ code: 'network.not-a-camera' }] })
      const ports = await cli(host, 'preflight', CAMERA, '--ports', 'csv', '--stream-port', '5000-5010')
      expect(ports.stdout).toMatch(/^gvsp-stream,in,udp,10\.99\.0\.1,5000-5010,10\.99\.0\.2,dynamic,/m)
      expect((await cli(host, 'preflight', 'no-address')).code).toBe(2)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describeWith(['root'], 'a fix', () => {
  const other = '192.168.7.11'
  const command = (command: string, undo: string) => ({ shell: 'sh' as const, command, undo, elevated: true })
  const reportFor = (camera?: string) => {
    const { camera: _, ...given } = facts([])
    return {
      facts: { ...given, ...(camera !== undefined && { camera: { address: camera } }) },
      findings: [],
      layers: [],
      ports: [],
      ok: false,
    }
  }

  async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
    const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-fix-'))
    try {
      await body(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('that fails half-way is an error, says how it is taken back, and is', async () => {
    await inFolder(async (folder) => {
      const mark = path.join(folder, 'mark')
      const commands = [command(`touch ${mark}`, `rm ${mark}`), command('false', 'true')]
      await expect(applyFix(commands, reportFor(), folder)).rejects.toMatchObject({
        message: 'The system refused: the commands ended with code 1',
        hint: expect.stringContaining('--undo'),
      })
      const records = await planUndo(undefined, folder)
      expect(records).toMatchObject([{ state: 'applying', undo: ['true', `rm ${mark}`] }])
      expect(existsSync(mark)).toBe(true)
      await undoFix(records)
      expect([existsSync(mark), await readUndo(undefined, folder)]).toEqual([false, []])
    })
  })

  it('that cannot be taken back stays written down, and the rest of it is taken back', async () => {
    await inFolder(async (folder) => {
      const [mark, stuck] = [path.join(folder, 'mark'), path.join(folder, 'stuck')]
      const commands = [command(`touch ${mark}`, `rm -f ${mark}`), command('true', `[ ! -e ${stuck} ]`)]
      await applyFix(commands, reportFor(CAMERA), folder)
      writeFileSync(stuck, '')
      for (const state of ['applied', 'applying'] as const) {
        const records = (await planUndo(CAMERA, folder)).map((one) => ({ ...one, state }))
        await expect(undoFix(records)).rejects.toMatchObject({
          code: 'ERR_GIGE_NETWORK',
          message: `Not everything was taken back: [ ! -e ${stuck} ]`,
          hint: expect.stringContaining(undoFile(CAMERA, folder)),
        })
        expect([existsSync(mark), (await readUndo(CAMERA, folder)).length]).toEqual([false, 1])
      }
      rmSync(stuck)
      await undoFix(await planUndo(CAMERA, folder))
      expect(readdirSync(folder)).toEqual([])
    })
  })

  it('for one camera is not in the way of another, and all are taken back, newest first', async () => {
    await inFolder(async (folder) => {
      const said = path.join(folder, 'said')
      const say = (text: string) => [command('true', `echo ${text} >>${said}`)]
      const twice = async () => {
        await applyFix(say('first'), reportFor(CAMERA), folder)
        await applyFix(say('second'), reportFor(other), folder)
      }
      await twice()
      await expect(applyFix(say('third'), reportFor(CAMERA), folder)).rejects.toMatchObject({
        code: 'ERR_GIGE_INVALID_ARGUMENT',
        message: `An earlier fix for ${CAMERA} was not taken back yet`,
      })
      await undoFix(await planUndo(undefined, folder))
      expect(readFileSync(said, 'utf8')).toBe('second\nfirst\n')
      await twice()
      await undoFix(await planUndo(CAMERA, folder))
      expect((await planUndo(undefined, folder)).map(({ camera }) => camera)).toEqual([other])
      expect(readFileSync(said, 'utf8')).toBe('second\nfirst\nfirst\n')
    })
  })

  it('whose setting a later one has set again is not taken back before that', async () => {
    await inFolder(async (folder) => {
      const begin = async (camera: string, undo: string) =>
        await beginUndo([command('true', undo)], reportFor(camera).facts, folder)
      await begin(CAMERA, 'sysctl -w net.core.rmem_max=212992')
      await begin(other, 'sysctl -w net.core.rmem_max=33554432')
      await expect(planUndo(CAMERA, folder)).rejects.toMatchObject({
        message: expect.stringContaining(`A later fix for ${other} has set the same`),
      })
      expect(await planUndo(other, folder)).toHaveLength(1)
      expect((await planUndo(undefined, folder)).map(({ camera }) => camera)).toEqual([other, CAMERA])
    })
  })

  it('is written down once, whole, and for nobody else', async () => {
    await inFolder(async (folder) => {
      const inside = path.join(folder, 'gigewire')
      const begin = async () => await beginUndo([command('true', 'true')], reportFor(CAMERA).facts, inside)
      const both = await Promise.allSettled([begin(), begin(), begin()])
      expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(readdirSync(inside)).toEqual([path.basename(undoFile(CAMERA))]) // nothing half-written
      expect([statSync(inside).mode & 0o777, statSync(undoFile(CAMERA, inside)).mode & 0o777]).toEqual([
        0o700, 0o600,
      ])
    })
  })

  it('is not run as root from a file that somebody else could have written', async () => {
    await inFolder(async (folder) => {
      const { file } = await beginUndo([command('true', 'true')], reportFor(CAMERA).facts, folder)
      const refused = async (why: string) =>
        await expect(planUndo(CAMERA, folder)).rejects.toMatchObject({
          code: 'ERR_GIGE_INVALID_ARGUMENT',
          message: expect.stringContaining(why),
        })
      for (const mode of [0o620, 0o602]) {
        chmodSync(file, mode)
        await refused('others than its owner may write to it')
      }
      chmodSync(file, 0o600)
      chownSync(file, 65_534, 65_534)
      await refused('it belongs to somebody else')
      chownSync(file, 0, 0)
      expect(await planUndo(CAMERA, folder)).toHaveLength(1)
      const elsewhere = path.join(folder, 'elsewhere')
      writeFileSync(elsewhere, readFileSync(file), { mode: 0o600 })
      rmSync(file)
      symlinkSync(elsewhere, file)
      await refused('it is a link')
      rmSync(file)
      for (const text of ['{"version":7}', '', 'null', '{"version":1,"at":"","shell":"sh","undo":[1]}']) {
        writeFileSync(file, text, { mode: 0o600 })
        await refused('is no undo record of preflight')
      }
    })
  })
})
