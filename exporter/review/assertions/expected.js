const lost = [...right].filter((word) => /^\d/.test(word) && !said.has(word)).length;
const isWorse = bad.size > 0 && likeness(said, bad) > likeness(said, right);
const score = lost || isWorse ? 0 : both(said, right) / (right.size || 1);
const why = lost ? 'lacks numbers of the right answer' : isWorse ? 'is more like the answer that people failed'
  : `has ${Math.round(100 * score)} % of the words of the right answer`;
return { pass: score >= 0.5, score, reason: why };
