// What is shown in place of a view that breaks, as when the hub was renewed and the page was not.
import { Component, type ReactNode } from "react";

interface Props {
  /** Where the page is: another view is tried anew. */
  place: string;
  children: ReactNode;
}

interface State {
  broken: string | null;
  place: string;
}

export class Guard extends Component<Props, State> {
  override state: State = { broken: null, place: this.props.place };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { broken: String(error) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.place === state.place ? null : { broken: null, place: props.place };
  }

  override render(): ReactNode {
    if (this.state.broken === null) return this.props.children;
    return (
      <div className="empty" role="alert">
        <h3>This view does not fit to what the hub says</h3>
        <p>The hub was renewed while the page was open, or this is a fault of the page. The commands and the API work without it.</p>
        <p className="mono small faint">{this.state.broken}</p>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Load the page again
        </button>
      </div>
    );
  }
}
