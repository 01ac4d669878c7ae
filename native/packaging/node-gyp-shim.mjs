#!/usr/bin/env node
// Speaks node-gyp's command line to prebuildify and builds with cmake-js: `rebuild --target=... --arch=x64 --release`. The
// result lies in build/Release of the working directory, where prebuildify takes it from.
import path from 'node:path'
import { buildAddon, findTools } from './cmake-js.mjs'

const asked = process.argv.slice(2)
const option = (name) => asked.find((one) => one.startsWith(`--${name}=`))?.split('=')[1]

const tools = findTools()
if (!tools) throw new Error('prebuilds need cmake-js and node-addon-api: npm ci')
process.exitCode = buildAddon(tools, {
  debug: asked.includes('--debug'),
  out: path.join(process.cwd(), 'build'),
  arch: option('arch'),
})
