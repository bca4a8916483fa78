import CrashModel
import JobMessages

/// What became of a job that was handed to ingest, as far as the client waits for it.
enum IngestVerdict: Equatable {
    case accepted
    case refused(StageError)
    /// A worker has the job or will take it, and the client has waited long enough: the task's status tells the rest.
    case stillWorking
    /// No worker took the job in time, and none is there to take it.
    case notPickedUp
    /// The job could not be handed over.
    case unreachable(String)
}

extension GatewayDependencies {
    private enum Signal: Sendable {
        case reply(IngestReply)
        case ended(String)
        case pickupTimeout(isServed: Bool)
        case verdictTimeout
    }

    /// Hands the job over and waits for the verdict, no longer than the limits say.
    ///
    /// A job that waits while the workers are busy is safe with the broker, so it counts as
    /// ``IngestVerdict/stillWorking`` too: one large archive must not have all others sent away.
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
                signal.yield(.pickupTimeout(isServed: await isIngestServed()))
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
        var (pickedUp, isServed) = (false, false)
        for await signal in signals {
            switch signal {
            case .reply(.pickedUp): pickedUp = true
            case .reply(.accepted): return .accepted
            case .reply(.refused(let error)): return .refused(error)
            case .ended(let reason): return pickedUp ? .stillWorking : .unreachable(reason)
            case .pickupTimeout(isServed: false) where !pickedUp: return .notPickedUp
            case .pickupTimeout(isServed: let answer): isServed = answer
            case .verdictTimeout: return pickedUp || isServed ? .stillWorking : .notPickedUp
            }
        }
        // Only a cancelled wait ends without a signal: the service stops, and the job is with the broker or with nobody.
        return pickedUp ? .stillWorking : .unreachable("the gateway stops")
    }
}
