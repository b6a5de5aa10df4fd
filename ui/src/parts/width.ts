// How wide something is on the screen, so that pictures are drawn for the room that they have.
import { useLayoutEffect, useRef, useState, type RefObject } from "react";

export function useWidth<E extends Element>(first: number): [RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    const seen = element.current;
    if (!seen) return;
    const measure = () => setWidth((known) => Math.round(seen.clientWidth) || known);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}
