/** What a user typed cannot be sent; `field` is where. */
export class FormError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}
