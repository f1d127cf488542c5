/** An observer as XState takes one: an object, or up to three functions. */

export interface Observer<Snapshot> {
  next?: (snapshot: Snapshot) => void;
  error?: (error: unknown) => void;
  complete?: () => void;
}

/** Both forms as one, with its functions free of their object. */
export const toObserver = <Snapshot>(
  observer: Observer<Snapshot> | ((snapshot: Snapshot) => void),
  onError?: (error: unknown) => void,
  onComplete?: () => void,
): Observer<Snapshot> => {
  const given =
    typeof observer === 'function'
      ? { next: observer, error: onError, complete: onComplete }
      : {
          next: observer.next?.bind(observer),
          error: observer.error?.bind(observer),
          complete: observer.complete?.bind(observer),
        };
  return given as Observer<Snapshot>;
};
