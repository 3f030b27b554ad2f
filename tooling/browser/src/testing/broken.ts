// A module that does not load: what openModule has to say about it is tested.
throw new TypeError('broken on purpose');

export {};
