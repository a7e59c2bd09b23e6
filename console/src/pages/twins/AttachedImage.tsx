/** A picture that a File element holds; its name where that cannot be shown. */
import { useEffect, useState } from "react";
import type { Element } from "./aas";
import { aas } from "./aas-api";

/** Whether a File's content lies with us: a path into the package, not an address elsewhere. */
export function isHeld(element: Element): boolean {
  return typeof element.value === "string" && element.value !== "" && !/^[a-z][a-z0-9+.-]*:\/\//i.test(element.value);
}

export function AttachedImage(props: { submodel: string; path: string; element: Element; alt: string }) {
  const { submodel, path, element, alt } = props;
  const [failed, setFailed] = useState(false);
  useEffect(() => setFailed(false), [submodel, path]);
  // What lies elsewhere is not fetched: the console loads nothing from outside.
  if (failed || !isHeld(element)) return <span>{alt}</span>;
  return <img src={aas.attachment(submodel, path)} alt={alt} loading="lazy" onError={() => setFailed(true)} />;
}
