package import CrashModel

/// Run the debugger on a core in the roots that were made for it.
package struct RetraceJob: JobMessage, Hashable {
    package static let stage = Stage.retrace
    package let taskID: TaskID
    package let crash: Crash
    package let resolution: Resolution
    package let chroot: Chroot

    package var task: TaskID? { taskID }

    package init(task: TaskID, crash: Crash, resolution: Resolution, chroot: Chroot) {
        taskID = task
        self.crash = crash
        self.resolution = resolution
        self.chroot = chroot
    }

    private enum Key: String, CodingKey {
        case version, task, crash, resolution, chroot
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            task: values.decode(TaskID.self, forKey: .task), crash: values.decode(Crash.self, forKey: .crash),
            resolution: values.decode(Resolution.self, forKey: .resolution),
            chroot: values.decode(Chroot.self, forKey: .chroot))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encode(taskID, forKey: .task)
        try values.encode(crash, forKey: .crash)
        try values.encode(resolution, forKey: .resolution)
        try values.encode(chroot, forKey: .chroot)
    }
}
