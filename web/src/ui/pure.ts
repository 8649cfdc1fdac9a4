import { Component, type ComponentType, type FunctionComponent, h } from 'preact'

/** A component that is drawn again only if one of its properties is another one. */
export function pure<P extends object> (draw: FunctionComponent<P>): ComponentType<P> {
  return class Pure extends Component<P> {
    override shouldComponentUpdate (next: P): boolean {
      const before = this.props as Record<string, unknown>
      const after = next as Record<string, unknown>
      return Object.keys({ ...before, ...after }).some(key => before[key] !== after[key])
    }

    override render () {
      return h(draw, this.props)
    }
  }
}
