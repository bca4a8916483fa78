package import CrashModel

extension TaskEvent: Codable {
    private enum Key: String, CodingKey {
        case version, task, stage, kind, microseconds, message, fraction, error, attempt, facts
        case releaseID = "release_id"
    }

    package init(from decoder: any Decoder) throws {
        try decoder.container(keyedBy: EnvelopeKey.self).checkVersion()
        let values = try decoder.container(keyedBy: Key.self)
        try self.init(
            task: values.decodeIfPresent(TaskID.self, forKey: .task),
            releaseID: values.decodeIfPresent(ReleaseID.self, forKey: .releaseID),
            stage: values.decode(Stage.self, forKey: .stage), kind: values.decode(Kind.self, forKey: .kind),
            microseconds: values.decode(Int64.self, forKey: .microseconds),
            message: values.decode(String.self, forKey: .message),
            fraction: values.decodeIfPresent(Double.self, forKey: .fraction),
            error: values.decodeIfPresent(StageError.self, forKey: .error),
            attempt: values.decode(Int.self, forKey: .attempt),
            facts: values.decodeIfPresent([String: String].self, forKey: .facts) ?? [:])
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(messageVersion, forKey: .version)
        try values.encodeIfPresent(task, forKey: .task)
        try values.encodeIfPresent(releaseID, forKey: .releaseID)
        try values.encode(stage, forKey: .stage)
        try values.encode(kind, forKey: .kind)
        try values.encode(microseconds, forKey: .microseconds)
        try values.encode(message, forKey: .message)
        try values.encodeIfPresent(fraction, forKey: .fraction)
        try values.encodeIfPresent(error, forKey: .error)
        try values.encode(attempt, forKey: .attempt)
        try values.encode(facts, forKey: .facts)
    }
}

extension StageError: Codable {
    private enum Key: String, CodingKey {
        case stage, code, reason, advice
        case retryAfterSeconds = "retry_after_seconds"
        case exitStatus = "exit_status"
        case toolOutput = "tool_output"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let wait = try values.decodeIfPresent(Double.self, forKey: .retryAfterSeconds)
        try self.init(
            values.decode(Stage.self, forKey: .stage), Code(values.decode(String.self, forKey: .code)),
            values.decode(String.self, forKey: .reason),
            advice: values.decodeIfPresent(String.self, forKey: .advice),
            disposition: wait.map { .retry(after: .seconds($0)) } ?? .failed,
            exitStatus: values.decodeIfPresent(Int.self, forKey: .exitStatus),
            toolOutput: values.decodeIfPresent(String.self, forKey: .toolOutput))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(stage, forKey: .stage)
        try values.encode(code.description, forKey: .code)
        try values.encode(reason, forKey: .reason)
        try values.encodeIfPresent(advice, forKey: .advice)
        if case .retry(let wait) = disposition {
            try values.encode(wait / .seconds(1), forKey: .retryAfterSeconds)
        }
        try values.encodeIfPresent(exitStatus, forKey: .exitStatus)
        try values.encodeIfPresent(toolOutput, forKey: .toolOutput)
    }
}
