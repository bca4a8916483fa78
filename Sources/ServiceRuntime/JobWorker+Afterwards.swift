import CrashModel
import Logging
import MessageQueue

extension JobWorker {
    /// Does what nobody waits for, after the end was told and before the job is acknowledged: so a worker that dies does not
    /// lose it. The job then comes again, is found done, and this begins anew, at most as often as a stage.
    ///
    /// - Returns: false when the service was told to stop in the middle of it.
    func doAfterwards(_ job: Job, attempt: Int, _ log: JobLog<Job>, _ ledger: AttemptLedger?) async -> Bool {
        guard let afterwards = handler.afterwards else { return true }
        let own = ledger.map { AttemptLedger(directory: $0.directory, name: "\($0.name)-afterwards") }
        do throws(AttemptLedger.Failure) {
            guard try await own?.record() ?? 1 <= settings.attempts else {
                log.logger.warning("what is done after the end was begun \(settings.attempts) times and is left")
                await settle("cleared", log) { () async throws(AttemptLedger.Failure) in try await own?.clear() }
                return true
            }
        } catch .withdrawn {
            return true
        } catch {
            log.logger.warning("the ledger cannot be written: \(error)")
        }
        do {
            try await afterwards(job, context(of: job, attempt: attempt, log))
        } catch {
            if !Task.isCancelled { log.logger.warning("what is done after the end failed: \(error)") }
        }
        if Task.isCancelled {
            await settle("corrected", log) { () async throws(AttemptLedger.Failure) in try await own?.forgive() }
            return false
        }
        await settle("cleared", log) { () async throws(AttemptLedger.Failure) in try await own?.clear() }
        return true
    }
}
