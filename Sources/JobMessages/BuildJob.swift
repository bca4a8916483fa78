package import CrashModel

/// Put the packages of a crash into a root.
package struct BuildJob: JobMessage, Hashable {
    package static let stage = Stage.build
    package let taskID: TaskID
    /// Passed along to the retracer.
    package let crash: Crash
    package let resolution: Resolution

    package var task: TaskID? { taskID }

    package init(task: TaskID, crash: Crash, resolution: Resolution) {
        taskID = task
        self.crash = crash
        self.resolution = resolution
    }

    private enum Key: String, CodingKey {
        case version, task, crash, resolution
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            task: values.decode(TaskID.self, forKey: .task), crash: values.decode(Crash.self, forKey: .crash),
            resolution: values.decode(Resolution.self, forKey: .resolution))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encode(taskID, forKey: .task)
        try values.encode(crash, forKey: .crash)
        try values.encode(resolution, forKey: .resolution)
    }
}
