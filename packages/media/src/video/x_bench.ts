import { openVideo } from './node/openVideo.ts';
import { spawnSync } from 'node:child_process';
const path='/tmp/decode/clip720.mp4';
const idx=Array.from({length:16},(_,i)=>Math.floor((i+.5)*300/16));
async function ours(){const t=performance.now(); const v=await openVideo(path); const t1=performance.now(); let n=0; for await(const f of v.frames(idx)) n+=f.data.length; await v.close(); return [performance.now()-t,t1-t,n];}
function theirs(){const t=performance.now(); const r=spawnSync('ffmpeg',['-v','error','-i',path,'-vf',`select='${idx.map(i=>`eq(n,${i})`).join('+')}'`,'-vsync','0','-f','rawvideo','-pix_fmt','rgb24','-'],{maxBuffer:1e9}); return [performance.now()-t, r.stdout.length];}
for(let i=0;i<5;i++){console.log('ours',await ours(),'ffmpeg',theirs());}
