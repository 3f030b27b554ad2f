// Plays the clips. Every clip is one picture with its frames side by side; a frame is a part of it drawn on the canvas.
(() => {
  const MILLISECONDS_PER_FRAME = 160;
  /** Frames' worth of rest between two rounds, so that the start of a clip can be seen. */
  const REST = 3;

  const players = Array.from(document.querySelectorAll('[data-clip]'), (card) => {
    const canvas = card.querySelector('canvas');
    const strip = card.querySelector('.strip');
    const button = card.querySelector('button');
    const slider = card.querySelector('input');
    const output = card.querySelector('output');
    const count = Number(card.dataset.count);
    const label = button.getAttribute('aria-label').replace('Pause ', '');
    const player = { card, playing: false, tick: 0, show, set };

    function show(frame) {
      const { width, height } = canvas;
      canvas.getContext('2d').drawImage(strip, frame * width, 0, width, height, 0, 0, width, height);
      slider.value = String(frame);
      output.textContent = `${frame + 1}/${count}`;
    }

    function set(playing) {
      player.playing = playing;
      button.textContent = playing ? 'Pause' : 'Play';
      button.setAttribute('aria-label', `${button.textContent} ${label}`);
    }

    player.advance = () => {
      player.tick = (player.tick + 1) % (count + REST);
      show(Math.min(player.tick, count - 1));
    };
    button.addEventListener('click', () => {
      set(!player.playing);
      nameMaster();
    });
    slider.addEventListener('input', () => {
      set(false);
      nameMaster();
      player.tick = Number(slider.value);
      show(player.tick);
    });
    if (strip.complete) show(0);
    else strip.addEventListener('load', () => show(0));
    return player;
  });
  if (players.length === 0) return;

  const master = document.getElementById('play-all');
  function nameMaster() {
    const playing = players.some((player) => player.playing);
    master.textContent = playing ? 'Pause all' : 'Play all';
    master.setAttribute('aria-pressed', String(playing));
  }
  master.addEventListener('click', () => {
    const play = !players.some((player) => player.playing);
    for (const player of players) player.set(play);
    nameMaster();
  });

  // People who asked their system for less motion start the clips themselves.
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  for (const player of players) player.set(!still);
  nameMaster();

  const visible = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) visible[isIntersecting ? 'add' : 'delete'](target);
  });
  for (const { card } of players) watcher.observe(card);
  setInterval(() => {
    if (document.hidden) return;
    for (const player of players) if (player.playing && visible.has(player.card)) player.advance();
  }, MILLISECONDS_PER_FRAME);
})();
