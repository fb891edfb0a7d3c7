const isAnother = likeness(said, bad) < 0.8;
return { pass: isAnother, score: isAnother ? 1 : 0, reason: `is ${isAnother ? 'no longer ' : ''}the answer that people failed` };
