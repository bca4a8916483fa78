/// The lines of `/<id>`; as with ``Sentence``, the raw value is the English text with its gaps.
///
/// What stands in `{activity}` is ``Stage/activity``, translated by itself.
enum StatusSentence: String, CaseIterable {
    case notBegun = "Waiting: nobody has begun with the upload yet."
    case inWork = "In work: {activity}."
    case tryingAgain = "Trying again: {activity}."
    case waitingFor = "Waiting for the next stage: {activity}."
    case waitingForNextStage = "Waiting for the next stage."
    case partOfStage = "{percent} % of this stage."
    case oneOlderTask = "One older task is in work."
    case olderTasks = "{count} older tasks are in work."

    case timeLeft = "About {time} left, by {history}."
    case timeAfterOthers = "About {time} of work once its turn comes, by {history}."
    case longerThanUsual = "This stage takes longer than usual ({time}, by {history})."
    case timeUnknown = "How long it takes cannot be told: no crash has been retraced here yet."
    case timeUnknownForRelease =
        "How long it takes cannot be told: no crash of {release} has been retraced here yet."
    // What stands in {history}.
    case lastCrash = "the last crash of all releases"
    case lastCrashes = "the last {count} crashes of all releases"
    case lastCrashOfRelease = "the last crash of {release}"
    case lastCrashesOfRelease = "the last {count} crashes of {release}"

    case backtraceReady = "The backtrace is ready at {path}."
    case crashedPackage = "Crashed package: {package}"
    case signal = "Signal: {signal}"
    case kernel = "Kernel: {kernel}"
    case panic = "It stopped with: {panic}"
    case namedFrames = "Frames: {named} of {all} have names"
    case completeModules = "Modules: {complete} of {all} were found with their debuginfo"
    case release = "Release: {release}"
    case time = "Time: {times}"

    case failedWhile = "The task failed while {activity}."
    case failed = "The task failed; {log} says why."
    case code = "Code: {code}"
    case codeAndExitStatus = "Code: {code}, exit status {status}"
}
