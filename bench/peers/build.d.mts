// What the tests need to know of build.mjs.

import type { PeerReceiver } from '../../lib/bench/model.js'

export declare function peers(): { list: Record<string, PeerReceiver>; missing: Record<string, string> }
