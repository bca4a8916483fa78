import CrashModel
import Distributions
import ReposyncStage

/// Asks a release's mirrors, many at once and each for a minute at most.
func askMirrors(
    _ distribution: Distribution, _ releaseID: ReleaseID,
    _ answer: (_ repository: String, _ answer: CheckedMirror) async -> Void
) async {
    var limits = SyncLimits()
    limits.downloads = 16
    limits.silenceSeconds = 15
    limits.fileSeconds = 60
    await probeMirrors(of: distribution, for: releaseID, limits: limits) { probe in
        switch probe.answer {
        case .reachable(let detail):
            await answer(probe.repository, CheckedMirror(mirror: probe.mirror, answers: true, detail: detail))
        case .failed(let reason):
            await answer(probe.repository, CheckedMirror(mirror: probe.mirror, answers: false, detail: reason))
        }
    }
}
