import CrashModel
import TaskStorage

/// What the page of a task shows; the template escapes every value.
struct TaskPage {
    let title: String
    let task: String
    let refresh: Bool
    let scripts: [String]
    let stages: [StageView]
    let pending: Bool
    let said: String
    let more: String
    let fraction: Double
    let hasFraction: Bool
    let failed: Bool
    let reason: String?
    let advice: String?
    let activity: String?
    let code: String?
    let exitStatus: Int?
    let output: String?
    let succeeded: Bool
    /// Whether a link to the log stands at the end.
    let log: Bool
    let canDelete: Bool
    var headline: String
    let package: String?
    let facts: [Fact]
    var remarks: [String] = []
    // Mustache sees stored properties only.
    var hasRemarks = false
    var exploitable: ExploitabilityView?
    var noData: String?
    var threads: [ThreadView] = []
    var hasOthers = false
    var moreThreads: String?
    var missing: [MissingView] = []
    var hasMissing = false
    var moreMissing: String?
    var modules: [ModuleView] = []
    var moduleTitle = ""
    var hasModules = false
    var results: [ResultView] = []
    var hasResults = false

    struct Fact {
        let name: String
        let value: String
    }

    struct ResultView {
        let name: String
        let size: String
    }

    struct ModuleView {
        let path: String
        let package: String
        let buildID: String
    }

    private static let maximumThreads = 50
    private static let maximumModules = 400

    init(_ report: TaskReport, canDelete: Bool) {
        self.canDelete = canDelete
        let snapshot = report.snapshot
        let (task, facts) = (snapshot.task, snapshot.facts)
        self.task = task.id.description
        pending = task.state == .pending
        failed = task.state == .failure
        succeeded = task.state == .success
        title = "Task \(task.id)" + (pending ? "" : failed ? " failed" : ": the backtrace")
        refresh = pending
        scripts = pending ? ["task.js"] : []
        stages = StageView.all(of: snapshot)
        let lines = report.text(in: .english).split(separator: "\n").map(String.init)
        said = lines.first ?? ""
        more = lines.dropFirst().joined(separator: " ")
        fraction = task.fraction ?? 0
        hasFraction = task.fraction != nil && task.stageKind == .progress
        reason = task.failure.map { shown($0.reason) }
        advice = task.failure?.advice.map { shown($0) }
        activity = task.failure?.stage.activity
        code = task.failure.map { shown($0.code.description, 100) }
        exitStatus = task.failure?.exitStatus
        output = task.failure?.toolOutput.map { shown($0, 4096) }
        log = !succeeded
        package = task.package.map { shown($0, 200) }
        let signal = task.signal.map { shown($0, 64) }
        let kernel = facts["kernel"].map { shown($0, 100) }
        headline = Self.headline(
            panic: facts["panic"], what: signal ?? kernel.map { "Kernel \($0)" } ?? "A crash",
            function: facts["crash_function"])
        self.facts = [
            ("Program", facts["executable"]), ("Package", task.package), ("Release", task.releaseID?.description),
            ("Signal", signal), ("Kernel", kernel), ("Build-id", facts["kernel_build_id"]),
            ("Function", kernel == nil ? nil : facts["crash_function"]),
            ("Frames", Self.share(facts["symbolised_frames"], of: facts["frames"], "have names")),
            ("Modules", Self.share(facts["modules_complete"], of: facts["modules"], "were found with their debuginfo")),
            ("The core", facts["truncation"]),
        ].compactMap { name, value in value.map { Fact(name: name, value: shown($0, 300)) } }
    }

    /// Why a kernel stopped, in its own words; without them what happened, and where.
    private static func headline(panic: String?, what: String, function: String?) -> String {
        panic.flatMap { $0.isEmpty ? nil : shown($0, 300) } ?? what + (function.map { " in \(shown($0, 120))" } ?? "")
    }

    private static func share(_ part: String?, of whole: String?, _ words: String) -> String? {
        guard let part, let whole else { return nil }
        return "\(part) of \(whole) \(words)"
    }

    /// Takes over what the results say.
    mutating func show(_ document: BacktraceDocument) {
        let all = document.threads ?? []
        let ordered = all.filter { $0.crashed == true } + all.filter { $0.crashed != true }
        threads = ordered.prefix(Self.maximumThreads).enumerated().map { index, thread in
            ThreadView(thread, isFirst: index == 0, program: document.executable)
        }
        hasOthers = threads.count > 1
        if all.count > threads.count {
            moreThreads = "\(all.count - threads.count) more threads stand in the raw text."
        }
        remarks = (document.remarks ?? []).prefix(20).map { shown($0, 600) }
        hasRemarks = !remarks.isEmpty
        let lacking = (document.modules ?? []).compactMap(MissingView.init)
        missing = Array(lacking.prefix(Self.maximumModules))
        hasMissing = !missing.isEmpty
        if lacking.count > missing.count { moreMissing = "\(lacking.count - missing.count) more stand in the JSON." }
        let files = (document.modules ?? []).filter { $0.status != "virtual" }
        moduleTitle = files.count == 1 ? "1 file and its package" : "\(files.count) files and their packages"
        modules = files.prefix(Self.maximumModules).map {
            ModuleView(
                path: shown($0.path ?? "", 300), package: shown($0.package ?? "–", 200),
                buildID: shown($0.buildID ?? "–", 80))
        }
        hasModules = !modules.isEmpty
        if let panic = document.kernel?.panic {
            headline = Self.headline(panic: panic, what: headline, function: nil)
        } else if let function = document.crashFunction, let name = document.signal?.name {
            headline = Self.headline(panic: nil, what: shown(name, 64), function: function)
        }
    }

    mutating func show(_ all: [NamedResult]) {
        results = all.map { ResultView(name: $0.name, size: Self.size($0.byteCount)) }
        hasResults = !results.isEmpty
    }

    private static func size(_ bytes: Int) -> String {
        switch bytes {
        case ..<1024: bytes == 1 ? "1 byte" : "\(bytes) bytes"
        case ..<(1 << 20): "\(bytes >> 10) KiB"
        default: "\(bytes >> 20) MiB"
        }
    }
}

/// A stage in the list of all.
struct StageView {
    let stage: String
    let activity: String
    /// `done`, `now`, `todo` or `failed`: a class of the style sheet.
    let state: String
    let isNow: Bool
    let hidden: Bool
    let time: String

    static func all(of snapshot: TaskSnapshot) -> [StageView] {
        let stages = Stage.ofATask
        let reached = snapshot.task.stage.flatMap(stages.firstIndex)
        return stages.enumerated().map { place, stage in
            let timing = snapshot.timings.first { $0.stage == stage }
            let isFailed = snapshot.task.failure?.stage == stage
            let isDone = timing?.succeeded != nil || reached.map { place < $0 } ?? false
            let isNow = !isFailed && !isDone && place == reached
            return StageView(
                stage: stage.rawValue, activity: stage.activity.capitalisedFirst,
                state: isFailed ? "failed" : isDone ? "done" : isNow ? "now" : "todo", isNow: isNow,
                // Few tasks need packages to be fetched.
                hidden: stage == .fetch && timing == nil && !isFailed,
                time: timing?.microseconds.map { hundredths($0) + " s" } ?? "")
        }
    }

    private static func hundredths(_ microseconds: Int64) -> String {
        let hundredths = (microseconds + 5000) / 10_000
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

extension String {
    fileprivate var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
