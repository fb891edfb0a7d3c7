module.exports = class { id() { return 'stub-model-1'; }
  async callApi(prompt) { if (prompt.includes('Atlantis')) return { error: 'the stub has no answer' };
    return { output: prompt.includes('France') ? 'Paris is the capital of France.' : 'I do not know.' }; } };
