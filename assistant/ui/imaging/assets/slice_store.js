// Slices that were fetched, the newest kept, and those that will be asked for next fetched ahead.
const KEPT_BYTES = 192 * 2 ** 20;
const FETCHED_AT_ONCE = 3;

class SliceStore {
  // load(key) gives a promise of a typed array.
  constructor(load) {
    this.load = load;
    this.kept = new Map();
    this.coming = new Map();
    this.queue = [];
    this.bytes = 0;
    this.running = 0;
  }

  now(key) {
    const found = this.kept.get(key);
    if (found) {
      this.kept.delete(key);
      this.kept.set(key, found);
    }
    return found;
  }

  get(key) {
    const found = this.now(key);
    if (found) return Promise.resolve(found);
    if (!this.coming.has(key)) {
      const loading = this.load(key).then((data) => this.keep(key, data));
      this.coming.set(key, loading.finally(() => this.coming.delete(key)));
    }
    return this.coming.get(key);
  }

  keep(key, data) {
    this.kept.set(key, data);
    this.bytes += data.byteLength;
    for (const [old, gone] of this.kept) {
      if (this.bytes <= KEPT_BYTES || old === key) break;
      this.kept.delete(old);
      this.bytes -= gone.byteLength;
    }
    return data;
  }

  // What is wanted next, the nearest first; what was wanted before and has not begun is dropped.
  ahead(keys) {
    this.queue = keys.filter((key) => !this.kept.has(key) && !this.coming.has(key));
    this.pump();
  }

  pump() {
    while (this.running < FETCHED_AT_ONCE && this.queue.length) {
      this.running += 1;
      this.get(this.queue.shift())
        .catch(() => {})
        .finally(() => {
          this.running -= 1;
          this.pump();
        });
    }
  }
}
