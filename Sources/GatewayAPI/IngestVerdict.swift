import CrashModel
import JobMessages

/// What became of a job that was handed to ingest, as far as the client waits for it.
enum IngestVerdict: Equatable {
    case accepted
    case refused(StageError)
    /// A worker has the job, and the client has waited long enough: the task's status tells the rest.
    case stillWorking
    /// No worker took the job in time.
    case notPickedUp
    /// The job could not be handed over.
    case unreachable(String)
}

extension GatewayDependencies {
    private enum Signal: Sendable {
        case reply(IngestReply)
        case ended(String)
        case pickupTimeout
        case verdictTimeout
    }

    /// Hands the job over and waits for the verdict, no longer than the limits say.
    ///
    /// A job that was picked up and whose reply got lost with the broker's connection is still in work, so it counts as
    /// ``IngestVerdict/stillWorking``: the broker gives it to a worker again.
    func verdict(on job: IngestJob) async -> IngestVerdict {
        let replies = submit(job)
        return await withTaskGroup(of: Void.self) { group in
            let (signals, signal) = AsyncStream.makeStream(of: Signal.self)
            group.addTask {
                do {
                    for try await reply in replies { signal.yield(.reply(reply)) }
                    signal.yield(.ended("the replies ended without a verdict"))
                } catch {
                    signal.yield(.ended("\(error)"))
                }
            }
            group.addTask {
                do { try await clock.sleep(for: limits.pickupTimeout) } catch { return }
                signal.yield(.pickupTimeout)
            }
            group.addTask {
                do { try await clock.sleep(for: limits.verdictTimeout) } catch { return }
                signal.yield(.verdictTimeout)
            }
            defer { group.cancelAll() }
            return await Self.decide(signals)
        }
    }

    private static func decide(_ signals: AsyncStream<Signal>) async -> IngestVerdict {
        var pickedUp = false
        for await signal in signals {
            switch signal {
            case .reply(.pickedUp): pickedUp = true
            case .reply(.accepted): return .accepted
            case .reply(.refused(let error)): return .refused(error)
            case .ended(let reason): return pickedUp ? .stillWorking : .unreachable(reason)
            case .pickupTimeout where !pickedUp: return .notPickedUp
            case .pickupTimeout: continue
            case .verdictTimeout: return pickedUp ? .stillWorking : .notPickedUp
            }
        }
        // Only a cancelled wait ends without a signal: the service stops, and the job is with the broker or with nobody.
        return pickedUp ? .stillWorking : .unreachable("the gateway stops")
    }
}
