import Archives
import CXML
import SystemPackage

/// What a collector is told of a document. Names are those without prefix, and stay where the parser keeps them.
protocol XMLCollector: AnyObject {
    func start(_ name: UnsafePointer<xmlChar>, _ attributes: XMLAttributes)
    func end(_ name: UnsafePointer<xmlChar>)
    /// Whether the text of the element that is open now is wanted.
    var takesText: Bool { get }
    /// A piece of the text; an element's text may come in several.
    func text(_ bytes: UnsafeBufferPointer<UInt8>)
    /// Why the document is refused; the parser stops at the first.
    var refusal: RepodataError? { get set }
}

/// The attributes of an element, where libxml2 has them: five pointers each.
struct XMLAttributes {
    let pointers: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    let count: Int

    /// The value of an attribute by its name without prefix; nil where it is not there or longer than `limit` bytes.
    func value(_ name: String, limit: Int = 4096) -> String? {
        guard let pointers else { return nil }
        for index in 0..<count {
            guard let found = pointers[5 * index], retrace_is_name(found, name) != 0,
                let start = pointers[5 * index + 3], let end = pointers[5 * index + 4]
            else { continue }
            let length = end - start
            guard (0...limit).contains(length) else { return nil }
            return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
        }
        return nil
    }
}

/// One compressed XML file that is parsed block by block, as far as somebody asks. Blocking.
///
/// A document type is refused before anything that it declares is looked at: repository metadata has none, and entities
/// are how XML reads other files and grows without end.
final class XMLDocument {
    private let file: String
    private let content: DecompressedFile
    private let collector: any XMLCollector
    private let box: Unmanaged<CollectorBox>
    private let context: xmlParserCtxtPtr
    private var isAtEnd = false

    init(_ path: FilePath, limit: Int64, collector: any XMLCollector) throws(RepodataError) {
        file = path.lastComponent?.string ?? "the metadata"
        do throws(ArchiveError) {
            content = try DecompressedFile(path, limit: limit)
        } catch {
            throw .unreadable("\(file) cannot be read: \(error)")
        }
        self.collector = collector
        box = Unmanaged.passRetained(CollectorBox(collector))
        var handler = Self.handler
        guard let context = retrace_push_parser(&handler, box.toOpaque()) else {
            box.release()
            throw .unreadable("there is no memory to read \(file)")
        }
        self.context = context
        box.takeUnretainedValue().context = context
    }

    deinit {
        xmlFreeDoc(context.pointee.myDoc)
        xmlFreeParserCtxt(context)
        box.release()
    }

    /// Parses the next block.
    ///
    /// - Returns: false when the document had ended before.
    func advance() throws(RepodataError) -> Bool {
        if isAtEnd { return false }
        let status: Int32?
        do throws(ArchiveError) {
            status = try content.nextBlock { block in
                xmlParseChunk(context, block.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(block.count), 0)
            }
        } catch {
            guard error.code == .tooManyBytes else { throw .malformed(file: file, reason: "\(error)") }
            throw .tooLarge(file: file, reason: "\(error)")
        }
        isAtEnd = status == nil
        try check(status ?? xmlParseChunk(context, nil, 0, 1))
        return true
    }

    private func check(_ status: Int32) throws(RepodataError) {
        if let refusal = collector.refusal { throw refusal.about(file) }
        guard status == 0 else {
            let message = retrace_last_message(context).map { String(cString: $0) } ?? "libxml2 answered \(status)"
            throw .malformed(file: file, reason: String(message.prefix(200).prefix { !$0.isNewline }))
        }
    }

    private static var handler: xmlSAXHandler {
        var handler = xmlSAXHandler()
        handler.initialized = UInt32(XML_SAX2_MAGIC)
        handler.startElementNs = { user, name, _, _, _, _, count, _, attributes in
            guard let collector = CollectorBox.collector(user), let name else { return }
            collector.start(name, XMLAttributes(pointers: attributes, count: Int(count)))
            CollectorBox.stopIfRefused(user)
        }
        handler.endElementNs = { user, name, _, _ in
            guard let collector = CollectorBox.collector(user), let name else { return }
            collector.end(name)
            CollectorBox.stopIfRefused(user)
        }
        handler.characters = { user, bytes, count in
            guard let collector = CollectorBox.collector(user), collector.takesText else { return }
            collector.text(UnsafeBufferPointer(start: bytes, count: Int(count)))
        }
        handler.cdataBlock = handler.characters
        handler.internalSubset = { user, _, _, _ in
            CollectorBox.collector(user)?.refusal = .malformed(file: "", reason: "it declares a document type")
            CollectorBox.stopIfRefused(user)
        }
        return handler
    }
}

/// What the parser's callbacks are given.
private final class CollectorBox {
    let collector: any XMLCollector
    var context: xmlParserCtxtPtr?

    init(_ collector: any XMLCollector) { self.collector = collector }

    static func collector(_ user: UnsafeMutableRawPointer?) -> (any XMLCollector)? {
        user.map { Unmanaged<CollectorBox>.fromOpaque($0)._withUnsafeGuaranteedRef { $0.collector } }
    }

    static func stopIfRefused(_ user: UnsafeMutableRawPointer?) {
        guard let user else { return }
        Unmanaged<CollectorBox>.fromOpaque(user)._withUnsafeGuaranteedRef { box in
            if box.collector.refusal != nil, let context = box.context { xmlStopParser(context) }
        }
    }
}

extension RepodataError {
    /// The same of a file, where a collector did not know which it reads.
    fileprivate func about(_ file: String) -> RepodataError {
        switch self {
        case .malformed(_, let reason): .malformed(file: file, reason: reason)
        case .tooLarge(_, let reason): .tooLarge(file: file, reason: reason)
        case .unreadable: self
        }
    }
}
