import CrashModel
import HTTPTypes
import Hummingbird
import JobMessages
import Logging
import SystemPackage
import TaskStorage

/// `POST /create`: an archive in, the id and password of a task out.
///
/// A client that goes away before its body is complete leaves nothing behind. One that goes away while ingest reads its
/// archive leaves a task whose id nobody knows: it runs to its end and is removed by its age like any other, because the
/// upload is whole and stopping it half-way would save little.
struct CreateRoute: Sendable {
    let dependencies: GatewayDependencies

    func add(to router: GatewayRouter) {
        router.onAnyMethod("create") { request, context in try await create(request, context) }
    }

    /// The checks stand in upstream's order, and all that need no body come before it is asked for.
    private func create(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try dependencies.access.check(request)
        guard !dependencies.backlog.isFull else {
            try await dependencies.store.countDenial(microseconds: dependencies.now())
            throw Refusal(
                .serviceUnavailable, .tooManyJobsWait, advice: .tryAgainInAWhile,
                retryAfterSeconds: dependencies.limits.retryAfterSeconds)
        }
        guard let slot = dependencies.active.admit(limit: dependencies.limits.maxParallelTasks) else {
            try await dependencies.store.countDenial(microseconds: dependencies.now())
            throw Refusal(
                .serviceUnavailable, .busy, advice: .tryAgainInAWhile,
                with: ["limit": dependencies.limits.maxParallelTasks],
                retryAfterSeconds: dependencies.limits.retryAfterSeconds)
        }
        defer { slot.leave() }
        let headers = try UploadHeaders(request.head, dependencies.limits)
        let spare = try await reserveSpace(for: headers, slot)
        let taskType = try UploadHeaders.taskType(request.head, dependencies.limits)
        let serverDump = try await serverDump(headers, taskType, context.certainClient)
        let upload = try dependencies.clients.admitUpload(
            from: context.client, isCertain: context.certainClient != nil)
        defer { upload.end() }
        try dependencies.clients.claimShare(
            for: upload, in: slot, ofPlaces: dependencies.limits.maxParallelTasks, ofBytes: spare,
            retryAfterSeconds: dependencies.limits.retryAfterSeconds)
        let directory = try await newDirectory()
        do {
            // What is on the server already needs no body, and one that comes all the same is not read.
            if serverDump == nil {
                let receiver = UploadReceiver(
                    dependencies: dependencies, directory: directory, headers: headers, slot: slot)
                await context.wantBody()
                try await receiveInTime(request.body, with: receiver)
            }
            if [1, 3, 4].contains(taskType) { try await dependencies.onDisk { try directory.keepDump() } }
            return try await submit(directory, headers, taskType, serverDump, slot)
        } catch {
            await removeAll(of: directory)
            throw error
        }
    }

    /// The dump that the request names on the server; nil when it sends one.
    private func serverDump(
        _ headers: UploadHeaders, _ taskType: Int, _ client: ClientAddress?
    ) async throws -> ServerDump? {
        guard let name = headers.serverDump else { return nil }
        guard dependencies.isOperator(client) else {
            throw Refusal(.forbidden, .onlyOperatorsNameDumps, advice: .sendTheArchive)
        }
        guard taskType == 2 || taskType == 4 else {
            throw Refusal(.forbidden, .onlyKernelDumpsOnServer, advice: .sendTheArchive)
        }
        let allowed = dependencies.limits.serverDumps
        return try await dependencies.onDisk {
            try ServerDump(named: name, within: allowed, contentType: headers.contentType)
        }
    }

    /// - Returns: What all uploads may fill of the disk, this one included, in bytes.
    private func reserveSpace(for headers: UploadHeaders, _ slot: UploadSlot) async throws -> UInt64 {
        let free: UInt64
        do {
            free = try await dependencies.onDisk { try dependencies.freeBytes(dependencies.spool) }
        } catch {
            dependencies.logger.error("the free space of the spool is unknown", metadata: ["error": "\(error)"])
            throw Refusal(.internalServerError, .freeSpaceUnknown, advice: .tellTheOperator)
        }
        let kept = dependencies.limits.minFreeBytes
        guard slot.reserve(UInt64(headers.bytesToStore), of: free, keeping: kept) else { throw Refusal.diskFull }
        return free - kept
    }

    /// A new directory whose id no task on record has either, for old tasks outlive their directories.
    private func newDirectory() async throws -> TaskDirectory {
        for _ in 0..<50 {
            let directory = try await dependencies.onDisk { try TaskDirectory.create(in: dependencies.spool) }
            do {
                guard try await dependencies.store.contains(directory.task) else { return directory }
            } catch {
                await removeAll(of: directory)
                throw error
            }
            try await dependencies.onDisk { try directory.remove() }
        }
        throw Errno.fileExists
    }

    /// Leaving the group waits for the receiver, so the file is closed when this returns or throws.
    private func receiveInTime(_ body: RequestBody, with receiver: UploadReceiver) async throws {
        let (clock, limit) = (dependencies.clock, dependencies.limits.uploadTimeout)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await receiver.receive(body)
                return true
            }
            group.addTask {
                try await clock.sleep(for: limit)
                return false
            }
            let complete = try await group.next() ?? false
            group.cancelAll()
            guard complete else {
                throw Refusal(
                    .requestTimeout, .uploadTooSlow, advice: .compressOrHurry,
                    with: ["seconds": limit.components.seconds])
            }
        }
    }

    private func submit(
        _ directory: TaskDirectory, _ headers: UploadHeaders, _ taskType: Int, _ serverDump: ServerDump?,
        _ slot: UploadSlot
    ) async throws -> Response {
        let task = directory.task
        let password = TaskPassword()
        // The row comes before the job, because the first event may come before the verdict.
        try await dependencies.store.insert(
            task, type: taskType, password: PasswordHash(of: password.text), microseconds: dependencies.now())
        slot.become(task)
        let job = IngestJob(
            task: task, contentType: headers.contentType, taskType: taskType, serverPath: serverDump?.path.string)
        let verdict = await dependencies.verdict(on: job)
        if let refusal = refusal(verdict, task) { throw refusal }
        try await dependencies.store.markAnswered(task)
        var answer = HTTPFields()
        answer[.taskID] = task.description
        answer[.taskPassword] = password.text
        return plainText("", .created, answer)
    }

    /// Why there is no task; nil when there is one.
    private func refusal(_ verdict: IngestVerdict, _ task: TaskID) -> Refusal? {
        let retry = dependencies.limits.retryAfterSeconds
        switch verdict {
        case .accepted, .stillWorking:
            dependencies.logger.info("task created", metadata: ["task": "\(task)"])
            return nil
        case .refused(let error):
            dependencies.logger.info("upload refused", metadata: ["task": "\(task)", "code": "\(error.code)"])
            return Refusal(error)
        case .notPickedUp:
            dependencies.logger.warning("no ingest worker took the job", metadata: ["task": "\(task)"])
            return Refusal(
                .serviceUnavailable, .noWorkerIsFree, advice: .nothingWasKept, retryAfterSeconds: retry)
        case .unreachable(let reason):
            dependencies.logger.error(
                "the job could not be handed over", metadata: ["task": "\(task)", "error": "\(reason)"])
            return Refusal(
                .serviceUnavailable, .workersUnreachable, advice: .nothingWasKept, retryAfterSeconds: retry)
        }
    }

    /// Takes back the row, the directory and the place among the active tasks.
    ///
    /// It runs in a task of its own, awaited at once, because the request may have been cancelled, and then SQLite and
    /// the rest would refuse to clean up.
    private func removeAll(of directory: TaskDirectory) async {
        await Task {
            do {
                try await dependencies.store.remove(directory.task)
                try await dependencies.onDisk { try directory.remove() }
            } catch {
                dependencies.logger.error(
                    "a refused upload is left on disk",
                    metadata: ["task": "\(directory.task)", "error": "\(error)"])
            }
            dependencies.active.finished(directory.task)
        }.value
    }
}
