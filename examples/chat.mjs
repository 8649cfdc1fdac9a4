// node examples/chat.mjs <me> <other>: registers or logs in, prints what arrives, sends each line that is typed.
import { createInterface } from 'node:readline'
import { io } from 'socket.io-client'

const [me, other] = process.argv.slice(2)
const server = process.env.SERVER ?? 'http://localhost:5000'
const call = async (method, path, body, token) => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  return (await fetch(server + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })).json()
}
const password = `${me} has a long password`
const account = { fullName: me, username: me, email: `${me}@example.com`, password }
const registered = await call('POST', '/api/auth/register', account)
const { token } = registered.success ? registered : await call('POST', '/api/auth/login', { username: me, password })

const socket = io(server, { auth: { token } })
socket.on('connect', () => console.log(`connected as ${me}`))
socket.on('connect_error', error => console.log(error.message))
socket.on('directMessage', message => console.log(`${message.senderId.username}: ${message.message}`))

for await (const content of createInterface({ input: process.stdin })) {
  const { users } = await call('GET', `/api/users?search=${other}`, undefined, token)
  const receiver = users.find(user => user.username === other)
  const ack = await socket.emitWithAck('sendDirectMessage', { receiverId: receiver?._id, content, clientMessageId: crypto.randomUUID() })
  if (!ack.success) console.log(`not sent: ${ack.message}`)
}
socket.disconnect()
