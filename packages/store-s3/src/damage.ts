/** Why an object is not what it should be. Never leaves this package: the store makes an event and a miss of it. */
export class Damage extends Error {
  /** Of the object, when it was seen: to tell it from one that was put in its place since. */
  etag?: string;
}
