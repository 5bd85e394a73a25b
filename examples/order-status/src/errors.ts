/** A sentence for the person at the terminal: no stack is shown. */
export class ExampleError extends Error {
  override readonly name: string = 'ExampleError';
}

/** What was waited for does not come: the checks say what is missing. */
export class Stalled extends ExampleError {
  override readonly name = 'Stalled';
}
