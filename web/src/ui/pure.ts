import { Component, type ComponentType, type FunctionComponent, h } from 'preact'

/** A component that is drawn again only if one of its properties is another one. */
export function pure<P extends object> (draw: FunctionComponent<P>): ComponentType<P> {
  return class Pure extends Component<P> {
    override shouldComponentUpdate (next: P): boolean {
      const before = this.props as Record<string, unknown>
      const after = next as Record<string, unknown>
      // Asked for each row of a list at each drawing: no objects are made for it.
      for (const key in after) if (before[key] !== after[key]) return true
      for (const key in before) if (!(key in after)) return true
      return false
    }

    override render () {
      return h(draw, this.props)
    }
  }
}
