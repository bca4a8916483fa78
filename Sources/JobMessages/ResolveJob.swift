package import CrashModel

/// Find the packages of a crash.
package struct ResolveJob: JobMessage, Hashable {
    package static let stage = Stage.resolve
    package let taskID: TaskID
    package let crash: Crash

    package var task: TaskID? { taskID }

    package init(task: TaskID, crash: Crash) {
        taskID = task
        self.crash = crash
    }

    private enum Key: String, CodingKey {
        case version, task, crash
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            task: values.decode(TaskID.self, forKey: .task), crash: values.decode(Crash.self, forKey: .crash))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encode(taskID, forKey: .task)
        try values.encode(crash, forKey: .crash)
    }
}
