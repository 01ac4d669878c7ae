// `gigewire preflight --fix` as it is used: what it would do, that it does it, that it is taken back; and what it writes down in between.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { applyFix, undoFix } from '../../lib/preflight/fix.js'
import { readUndo } from '../../lib/preflight/undo-record.js'
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
      const record = path.join(home, 'gigewire/preflight-undo.json')
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
      const undone = await run('--undo')
      expect([undone.code, rules()]).toEqual([0, before])
      expect((await run('--undo')).stdout).toBe('There is nothing to take back.\n')

      // One that was cut off is taken back as far as it had come.
      const { undo } = { undo: ['nft delete table inet nothing', 'nft add table inet undone'] }
      writeFileSync(
        record,
        JSON.stringify({ version: 1, at: '2026-01-01', state: 'applying', shell: 'sh', undo }),
      )
      const again = await run(CAMERA, '--fix', '--yes')
      expect([again.code, again.stderr.includes('An earlier fix was not taken back yet')]).toEqual([2, true])
      expect((await run('--undo')).code).toBe(0)
      expect(rules()).toContain('table inet undone')
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

describeWith(['root'], 'a fix that fails half-way', () => {
  it('is an error, says how it is taken back, and is', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-fix-'))
    try {
      const [file, mark] = [path.join(folder, 'record.json'), path.join(folder, 'mark')]
      const command = (command: string, undo: string) => ({
        shell: 'sh' as const,
        command,
        undo,
        elevated: true,
      })
      const commands = [command(`touch ${mark}`, `rm ${mark}`), command('false', 'false')]
      const report = { facts: facts([]), findings: [], layers: [], ports: [], ok: false }
      await expect(applyFix(commands, report, file)).rejects.toMatchObject({
        message: 'The system refused: the commands ended with code 1',
        hint: expect.stringContaining('--undo'),
      })
      expect([existsSync(mark), (await readUndo(file))?.state]).toEqual([true, 'applying'])
      expect((await undoFix(file))?.undo).toEqual(['false', `rm ${mark}`])
      expect([existsSync(mark), await readUndo(file)]).toEqual([false, undefined])
      writeFileSync(file, '{"version":7}')
      await expect(undoFix(file)).rejects.toMatchObject({ code: 'ERR_GIGE_INVALID_ARGUMENT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
