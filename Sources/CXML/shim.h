#pragma once
#include <string.h>
#include <libxml/parser.h>

/*
 * The options are an enumeration that Swift imports as a type of its own. XML_PARSE_NOENT gives attributes their plain
 * text; the only entities are XML's own five, for a document type, which could declare others, ends the parsing.
 */
static inline xmlParserCtxtPtr retrace_push_parser(xmlSAXHandler *handler, void *user)
{
    xmlParserCtxtPtr context = xmlCreatePushParserCtxt(handler, user, NULL, 0, NULL);
    if (context != NULL)
        xmlCtxtUseOptions(context, XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    return context;
}

/* What the parser last complained of; NULL when it did not. */
static inline const char *retrace_last_message(xmlParserCtxtPtr context)
{
    const xmlError *error = xmlCtxtGetLastError(context);
    return error == NULL ? NULL : error->message;
}

static inline int retrace_is_name(const xmlChar *name, const char *expected)
{
    return strcmp((const char *)name, expected) == 0;
}
