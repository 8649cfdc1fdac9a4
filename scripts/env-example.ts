// Prints .env.example from the configuration schema: `npm run env-example > .env.example`.
import { envExample } from '../src/config.ts'

process.stdout.write(envExample())
