import Synchronization
import SystemPackage

/// One caller's way to the symbols of a kernel: what it asked for, and what it was told.
final class KernelVisit: Sendable {
    let shelf: KernelShelf
    let progress: @Sendable (KernelStep) -> Void
    private let state: Mutex<State>

    private struct State {
        var answer: Answer
        var hasVmlinux = false
        var hasTold = false
    }

    private enum Answer {
        case open
        case all
        case named(Set<String>)
    }

    init(_ shelf: KernelShelf, _ progress: @escaping @Sendable (KernelStep) -> Void) {
        self.shelf = shelf
        self.progress = progress
        let answer: Answer =
            switch shelf.request.modules?.choice {
            case .all: .all
            case .named(let names): .named(Self.canonical(names))
            case .asked: .open
            case nil: .named([])
            }
        state = Mutex(State(answer: answer))
    }

    /// The names of the wanted modules, with underscores; nil for all. vmlinux must be there.
    ///
    /// - Complexity: The question is asked once.
    func wanted() async -> Set<String>? {
        let isFirst = state.withLock { state in
            defer { state.hasTold = true }
            return !state.hasTold
        }
        if isFirst { progress(.vmlinux) }
        switch state.withLock({ $0.answer }) {
        case .all: return nil
        case .named(let names): return names
        case .open:
            guard case .asked(let ask)? = shelf.request.modules?.choice else { return [] }
            let file = shelf.tree.appending(String(shelf.request.vmlinux.dropFirst()))
            let names = await ask(file).map(Self.canonical)
            state.withLock { $0.answer = names.map { .named($0) } ?? .all }
            return names
        }
    }

    /// What a pass is to take, as far as it is known.
    func wanted(beyond inventory: KernelInventory) -> KernelPass.Wanted {
        switch state.withLock({ $0.answer }) {
        case .open: .later
        case .all: inventory.toRead(nil).map { .named($0) } ?? .all
        case .named(let names): inventory.toRead(names).map { .named($0) } ?? .named(names)
        }
    }

    /// Whether a pass of this visit has brought vmlinux.
    var hasVmlinux: Bool { state.withLock { $0.hasVmlinux } }

    func noteVmlinux() { state.withLock { $0.hasVmlinux = true } }

    /// What no module can be called is in no package.
    private static func canonical(_ names: some Sequence<String>) -> Set<String> {
        Set(names.map { KernelModules.canonical($0) })
    }
}
