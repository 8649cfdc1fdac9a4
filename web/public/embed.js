/**
 * <tidelog-chat>: the chat in a page of another application, in a frame. docs/EMBED.md says how.
 *
 * Attribute `conversation`: show this one alone. Property `getToken(stale)`: resolves with the token of the page's
 * user; `stale` says that the last one was refused. Event `unread`: `detail` is the number of unread messages.
 */
/* global HTMLElement, addEventListener, removeEventListener, customElements */

const server = new URL('.', import.meta.url)

class TidelogChat extends HTMLElement {
  static observedAttributes = ['conversation']
  #frame = document.createElement('iframe')

  constructor () {
    super()
    Object.assign(this.#frame.style, { border: '0', inlineSize: '100%', blockSize: '100%', display: 'block' })
    this.#frame.allow = 'clipboard-write'
    this.attachShadow({ mode: 'open' }).append(this.#frame)
  }

  connectedCallback () {
    this.style.display ||= 'block'
    this.#frame.title = this.title || 'Chat'
    addEventListener('message', this.#hear)
    this.#show()
  }

  disconnectedCallback () {
    removeEventListener('message', this.#hear)
  }

  attributeChangedCallback () {
    if (this.isConnected) this.#show()
  }

  #show () {
    const id = this.getAttribute('conversation')
    this.#frame.src = new URL(id === null ? '.' : `c/${encodeURIComponent(id)}`, server).href
  }

  #hear = async ({ source, origin, data }) => {
    const frame = this.#frame.contentWindow
    if (source !== frame || origin !== server.origin) return
    if (data?.type === 'tidelog-unread') this.dispatchEvent(new CustomEvent('unread', { detail: data.count }))
    if (data?.type !== 'tidelog-token') return
    const answer = { type: 'tidelog-token', id: data.id }
    try {
      frame.postMessage({ ...answer, token: await this.getToken(data.stale) }, server.origin)
    } catch (error) {
      frame.postMessage(answer, server.origin)
      throw error
    }
  }
}

customElements.define('tidelog-chat', TidelogChat)
