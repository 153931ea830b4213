// The Claude Code release the end-to-end tests run: the only place that names it.
export const claudeVersion = "2.1.332"
