/// How mirrors are asked.
var mirrorQuestion: MirrorQuestion? { nil }
