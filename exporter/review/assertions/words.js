const brace = '{' + '{ "{" }' + '}';
const words = (text) => new Set(String(text ?? '').split(brace).join('{').toLowerCase()
  .match(/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\d+(?:[.,:/]\d+)*|[\p{L}\p{M}]+/gu) ?? []);
const both = (one, other) => [...one].filter((word) => other.has(word)).length;
const likeness = (one, other) => both(one, other) / (new Set([...one, ...other]).size || 1);
const said = words(output), right = words(context.vars.reference), bad = words(context.vars.rejected);
