import { executionOf } from "./itpu/execution.ts";
import { samplesOf } from "./itpu/samples.ts";
import { histogramMi } from "./itpu/estimators/histogram.ts";
import { ksgMi } from "./itpu/estimators/ksg.ts";
import * as E from "./itpu/estimators/entropy.ts";
import { kdeDensity, silverman } from "./itpu/estimators/kde.ts";
const e = executionOf("compiled");
const f = Float32Array.of;
console.log(histogramMi(e, samplesOf(Float32Array.of(0,0,1,1,0,1,0,1)), samplesOf(Float32Array.of(0,0,1,1,1,0,0,1)), {bins:2, correction:"none"}), 0.13081203);
const s = samplesOf(Float32Array.of(0,0,1,0,0,1,2,2), [4,2]);
console.log(E.entropyOfSamples(e, s, {mode:"shannon", alpha:2}), 2.292712, silverman(e, s));
const h0 = silverman(e, s).map(h=>h*Math.sqrt(3/4)); console.log(E.entropyOfDensity(e, kdeDensity(e,s,s,h0), {mode:"shannon",alpha:2}));
console.log(E.entropyOfProbabilities(e, Float32Array.of(.5,.5), {mode:"shannon",alpha:2}));
const N=10000; let q=12345; const rnd=()=>{q=(Math.imul(q,1664525)+1013904223)>>>0;return (q+.5)/2**32};
const gauss=()=>Math.sqrt(-2*Math.log(rnd()))*Math.cos(2*Math.PI*rnd());
const x=new Float32Array(N),y=new Float32Array(N); for(let i=0;i<N;i++){x[i]=gauss();y[i]=.7*x[i]!+Math.sqrt(1-.49)*gauss();}
let best=Infinity, v=0; for(let r=0;r<40;r++){const t=performance.now(); v=ksgMi(e,samplesOf(x),samplesOf(y),{k:4,zscore:false}); best=Math.min(best,performance.now()-t);} console.log("ksg",v,best);
best=Infinity; for(let r=0;r<400;r++){const t=performance.now(); v=histogramMi(e,samplesOf(x.subarray(0,5000)),samplesOf(y.subarray(0,5000)),{bins:48,correction:"none"}); best=Math.min(best,performance.now()-t);} console.log("hist",v,best);
