package import CrashModel

/// Unpack an upload and read the core in it.
package struct IngestJob: JobMessage, Hashable {
    package static let stage = Stage.ingest
    package let taskID: TaskID
    /// The media type that the client declared, without parameters: `application/x-xz-compressed-tar`.
    package let contentType: String
    /// `X-Task-Type`: 0 coredump, 1 coredump with debug log, 2 vmcore, 3 and 4 the interactive ones.
    package let taskType: Int
    /// The absolute path of a kernel's dump that is on the server already; nil for what the client uploaded.
    package let serverPath: String?

    package var task: TaskID? { taskID }

    package init(task: TaskID, contentType: String, taskType: Int, serverPath: String? = nil) {
        taskID = task
        self.contentType = contentType
        self.taskType = taskType
        self.serverPath = serverPath
    }

    private enum Key: String, CodingKey {
        case version, task
        case contentType = "content_type"
        case taskType = "task_type"
        case serverPath = "server_path"
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            task: values.decode(TaskID.self, forKey: .task),
            contentType: values.decode(String.self, forKey: .contentType),
            taskType: values.decode(Int.self, forKey: .taskType),
            serverPath: values.decodeIfPresent(String.self, forKey: .serverPath))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encode(taskID, forKey: .task)
        try values.encode(contentType, forKey: .contentType)
        try values.encode(taskType, forKey: .taskType)
        try values.encodeIfPresent(serverPath, forKey: .serverPath)
    }
}

/// What ingest says to the gateway that waits for it, on the reply queue of the request.
package enum IngestReply: Codable, Hashable, Sendable {
    /// A worker has the job and will answer.
    case pickedUp
    /// The archive is accepted: `/create` may answer 201.
    case accepted
    /// The archive is refused, and the task is over.
    case refused(StageError)

    private enum Key: String, CodingKey {
        case version, verdict, error
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        switch try values.decode(String.self, forKey: .verdict) {
        case "picked-up": self = .pickedUp
        case "accepted": self = .accepted
        case "refused": self = try .refused(values.decode(StageError.self, forKey: .error))
        case let other: throw UndecodableMessage(reason: "'\(other)' is no verdict")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        switch self {
        case .pickedUp: try values.encode("picked-up", forKey: .verdict)
        case .accepted: try values.encode("accepted", forKey: .verdict)
        case .refused(let error):
            try values.encode("refused", forKey: .verdict)
            try values.encode(error, forKey: .error)
        }
    }
}
