"""How assistants decline in the languages that `refusal` knows: patterns, no weights.

Texts are matched in lower case, sentence by sentence, with one space between words, before the first and after the
last; a comma is a word. ``…`` stands for up to eight words without a comma. Chinese, Japanese and Korean are matched
without any spaces or marks.
"""

from msgspec import Struct

from .languages import Language


class Phrases(Struct, frozen=True, kw_only=True):
    """A sentence declines that says ``outright``, or ``cannot`` near what ``serves``, or ``sorry`` and ``cannot``.

    What is ``hedged`` is left out before; ``absent`` says that what was retrieved does not hold the answer; a sentence
    or the next one that ``helps`` makes it an answer.
    """

    outright: str
    cannot: str
    serves: str
    sorry: str
    hedged: str
    helps: str
    absent: str


_NOT_DE = "(?:nicht|nichts|keine?[nrsm]?)"
_MODAL_DE = "(?:kann|können|könnte|darf|dürfen|werde|werden|möchte|möchten|will)"

PHRASES: dict[Language, Phrases] = {
    "en": Phrases(
        outright=(
            r" (?:must|have to|need to|will have to|am going to)(?: \w+ly)? (?:decline|refuse|say no|pass on) "
            r"| i(?: \w+ly)? (?:decline|refuse)(?: to|\.| $)"
            r"| (?:request|question|prompt|query|message) (?:cannot|can't|could not|couldn't|can not|is unable to) be "
            r"(?:fulfilled|processed|completed|answered|handled|served|satisfied|accommodated) "
            r"| (?:isn't|is not|not) possible (?:for (?:me|us) )?to (?:help|assist|answer|discuss|provide|share|comply|do|"
            r"respond|fulfil|fulfill|offer|talk) "
            r"| (?:outside|beyond|out of|not within|falls? outside)(?: of)? (?:the |my |our |this )?(?:\w+ ){0,3}"
            r"(?:scope|remit|purview|expertise|area|responsibilities|capabilities|abilities|knowledge|wheelhouse)"
            r"(?: of (?:what (?:i|we)|this (?:assistant|chat|bot|service)|my|our)| $| ,| and | so | as | for (?:me|us))"
            r"| beyond what (?:i|we) (?:can|do|am|are) | outside (?:of )?what (?:i|we) (?:can|do|am|are) "
            r"| (?:i|we)(?:'m| am|'re| are| was| were|'ve been)(?: \w+ly)? not (?:\w+ly )?(?:permitted|allowed|authori[sz]ed|"
            r"equipped|designed|built|meant|intended|trained|programmed|qualified|able|set up|willing|prepared|"
            r"comfortable|in a position|here|supposed|licensed) (?:to|for|with|in|on) "
            r"| (?:i|we)(?:'m| am|'re| are) (?:prohibited|forbidden|barred|prevented|restricted) from "
            r"| (?:i|we) (?:wasn't|weren't|aren't) (?:designed|built|meant|intended|trained|programmed|made|allowed) (?:to|for) "
            r"| (?:i'm|i am|we're|we are|i was|this (?:assistant|bot|chat|service) is) only (?:here|able|allowed|designed|"
            r"meant|permitted|trained|built|set up) (?:to|for) "
            r"| (?:i|we) can only (?:help|assist|answer|discuss|talk|support|respond)… "
            r"| not (?:something|a topic|a subject|a question|an area) (?:that |which )?(?:i|we)(?:'ll| will| can|'m| am|"
            r"'re| are|'d| would| could)(?: be)? "
            r"| isn't (?:something|a topic|a subject) (?:that |which )?(?:i|we) (?:can|will|could|am|are|would) "
            r"| (?:i'd|i would|we'd) (?:rather|prefer) not(?: to)? "
            r"| (?:guidelines|policies|policy|rules|instructions|programming|principles) (?:don't|do not|doesn't|does not|"
            r"prevent|prohibit|forbid|won't|will not|stop|bar)s?… (?:me|us) "
            r"| (?:against|violates?|goes against|conflicts? with|contrary to) (?:my|our) (?:\w+ ){0,3}(?:guidelines|"
            r"polic\w+|rules|principles|programming|terms|values) "
            r"| (?:blocked|filtered|flagged|withheld|stopped|rejected|removed) (?:because|by|due to|as|for|after) (?:[^ ,]+ "
            r"){0,7}(?:content|safety|guardrails?|filter\w*|moderation|polic\w+|guidelines|responsible ai) "
            r"| (?:content|safety|moderation) (?:filter\w*|guardrails?|polic\w+|system) (?:has |have |was |were )?(?:"
            r"blocked|triggered|removed|stopped|filtered|flagged) "
            r"| triggering (?:[^ ,]+ ){0,4}content management policy | may violate our (?:usage|content) polic\w+ "
            r"| matched public code so it was blocked | response blocked | output blocked "
            r"| (?:isn't|is not|'s not) (?:within |in |part of )(?:my|our) (?:\w+ ){0,3}(?:expertise|scope|remit|abilities|"
            r"capabilities|area|role|purview) | off[- ]limits (?:for|to) (?:me|us) | (?:don't|do not|wouldn't) feel comfortable "
            r"| (?:i'm|i am|we're|we are) (?:unauthori[sz]ed|unqualified|ill[- ]equipped|obliged to (?:refuse|decline)) "
            r"| (?:we|i) (?:do not|don't) (?:support|answer|handle|discuss|cover|comment on|engage in|engage with|offer|give|"
            r"provide) (?:that|this|such|questions|topics|requests|conversations|advice|\w+ advice) "
            r"| (?:my|our) (?:purpose|role|function|job|knowledge|focus|scope) is (?:limited|restricted) to "
            r"| (?:i'll|i will|i'd) (?:refrain|abstain) from | decline to (?:answer|comment|discuss|respond|help|assist)(?: that| it)? $"
            r"| not (?:in|part of) my (?:job|role|remit|mandate)(?: description)? | (?:my|our) (?:role|job|task|remit) is "
            r"(?:confined|limited|restricted) | (?:this|the) (?:assistant|bot|chat|service) (?:does not|doesn't|cannot|can't|won't|"
            r"will not) (?:discuss|answer|talk|comment|engage|provide|help|assist|support) | prefer to (?:steer clear|stay away|"
            r"stay out|avoid|skip) | (?:policy|policies) ,? we (?:do not|don't|cannot|can't) | (?:i|we) only (?:handle|answer|deal "
            r"with|discuss|cover|help with|support) | (?:i|we)(?:'d| would|'ll| will) (?:have to |need to )?(?:stop|draw the line) "
            r"|^ sorry ,? no $|^ no ,? (?:sorry|i won't|i will not|i can't|i cannot)… $"
            r"|^(?: sorry ,?| i'm sorry ,?| apologies ,?)? (?:the|this) (?:model|assistant) (?:cannot|can't|is unable to) answer "
        ),
        cannot=(
            r" (?:i|we)(?: am| are|'m|'re)? (?:\w+ly )?(?:cannot|can't|can not|couldn't|could not|won't|will not|unable to|"
            r"not able to|not going to) | and (?:\w+ly )?(?:cannot|can't|am unable to|am not able to) "
            r"| (?:unable|not able|not willing|unwilling) to "
        ),
        serves=(
            r" (?:help|assist|assistance|comply|answer|respond to|engage|participate|accommodate|fulfil|fulfill|oblige)"
            r"(?: \w+)? (?:that|this|it|you|with|in|such|these|those|any|your|$)"
            r"| (?:provide|offer|give|share|disclose|reveal|discuss|generate|create|produce|write|talk about|comment on|"
            r"speak|advise)(?: you| with){0,2} (?:that|this|it|such|these|those|instructions|information|medical|legal|"
            r"financial|any|details|an opinion|opinions|advice|guidance|content|personal|on|about|to) "
            r"| do (?:that|this|it|so) | (?:take part|take sides|have opinions) "
        ),
        sorry=r" (?:sorry|apologi[sz]e|apologies|afraid|regret|unfortunately|regrettably|forgive me) ",
        hedged=(
            r" (?:cannot|can't|can not|couldn't|won't be able to|unable to|not able to) (?:\w+ )?(?:say|tell|know|be|"
            r"determine|confirm|see|pinpoint|give|guarantee|promise)(?: you| an?)? (?:exact(?:ly)?|precise(?:ly)?|for sure|"
            r"for certain|with certainty|certain|sure|definitive(?:ly)?|definite(?:ly)?|whether|which|100) "
            r"| (?:help but|wait to|(?:recommend|thank|stress|emphasi[sz]e)… enough) "
        ),
        helps=(
            r" (?:but|however|though|still|yet|that said)(?: ,)?… (?:likely|probabl[ey]|usual(?:ly)?|common(?:ly)?|"
            r"typical(?:ly)?|generally|possible causes?|often|here (?:is|are)) |^ (?:the )?(?:most )?(?:likely|probable|"
            r"common|possible) (?:cause|reason|explanation)s?"
        ),
        absent=r"^$x",
    ),
    "de": Phrases(
        outright=(
            r" (?:muss|müssen|werde|werden|möchte) (?:ich|wir)… (?:ablehnen|zurückweisen) | ablehnen (?:muss|müssen) "
            r"| lehne ich… ab | ich lehne… ab | ich weigere mich | verweigere ich | wir weigern uns "
            r"| (?:ich bin|bin ich|wir sind|sind wir)… nicht (?:in der lage|befugt|berechtigt|autorisiert|befähigt|"
            r"qualifiziert|imstande|dafür|dazu|darauf|zuständig|bereit) "
            r"| (?:verstößt|verstoßen|widerspricht)… (?:meine|unsere|meinen|unseren|die) (?:[^ ,]+ ){0,2}(?:richtlinien|"
            r"regeln|vorgaben|grundsätze\S*|prinzipien|\S*bedingungen|inhaltsrichtlinien) "
            r"| (?:außerhalb|ausserhalb|jenseits) (?:meine|unsere)[srm]? | übersteigt meine "
            r"| (?:anfrage|bitte|frage|anliegen|wunsch|aufgabe) kann… nicht (?:bearbeitet|beantwortet|erfüllt|ausgeführt|"
            r"verarbeitet) | mir… nicht (?:möglich|gestattet|erlaubt) | (?:ist|wäre) es mir nicht "
            r"| ich (?:kann|bin|beantworte|darf|helfe)(?: [^ ,]+){0,2} (?:nur|ausschließlich|lediglich)… (?:fragen|anfragen|"
            r"themen|zuständig|helfen|beantworten) | (?:dazu|darüber|hierzu) (?:möchte|kann|werde|darf|will) ich… nichts? "
            r"| (?:dabei|da|damit|hierbei|das|dies) (?:kann|darf|werde|könnte|können|dürfen) (?:ich|wir)… nicht "
            r"(?:weiter|be)?(?:helfen|hilflich|tun|machen|unterstützen|sagen|beantworten|$)"
            r"| (?:richtlinien|regeln|vorgaben|vorschriften|bestimmungen)… (?:erlauben|gestatten|verbieten|untersagen|lassen)… "
            r"| (?:nicht|kaum) (?:in|unter) (?:meine[nmr]?|unsere[nmr]?) (?:zuständigkeit|kompetenz\S*|aufgabe\S*|bereich|verantwortung) "
            r"| nicht (?:meine|unsere) aufgabe | (?:meine|unsere) (?:aufgabe|rolle|funktion|zuständigkeit) (?:beschränkt|ist)… "
            r"(?:beschränkt|auf|begrenzt) | ich (?:gebe|erteile|beantworte|kommentiere|diskutiere|spreche|äußere)(?: mich)?… (?:keine\S*|"
            r"nicht) | ich keine (?:auskunft|auskünfte|angaben|aussagen) (?:gebe|mache|erteile) | nichts ,? (?:wobei|womit|wozu) ich "
            r"| unter die arme greifen |^ nein ,… (?:mache|tue|werde|helfe|kann|schreibe|sage|darf) ich… (?:nicht|nichts) | enthalte ich mich | ich enthalte mich | außerstande | (?:ist|sind)… (?:untersagt|"
            r"verboten|tabu) (?:, )?(?:darüber|dazu|$)| (?:anfrage|inhalt|antwort) wurde… (?:blockiert|gefiltert) "
            r"| (?:antwort|inhalt|anfrage|eingabe) wurde… (?:blockiert|gefiltert|herausgefiltert) | hilfe… verweigern "
        ),
        cannot=rf" {_MODAL_DE} (?:ich|wir)… {_NOT_DE} | (?:ich|wir) {_MODAL_DE}… {_NOT_DE} | ich {_NOT_DE}… (?:kann|darf) | und (?:kann|darf) (?:[^ ,]+ )?{_NOT_DE} ",
        serves=(
            r" (?:weiter|aus|be)?(?:helfen|hilflich) | (?:unterstütz|beantwort|antwort|auskunft|auskünfte|bereitstell|"
            r"informationen|anbieten|weitergeben|geben|nennen|verraten|teilen|erstell|verfass|schreib|generier|erfüll|"
            r"bearbeit|nachkomm|mitteilen|tun |machen |sagen |äußern|sprechen|reden|diskutier|berat|rechtsberat|bewert|"
            r"kommentier|erklär|ausführ|durchführ|eingehen|leisten|liefern|preisgeb|offenleg|entsprechen|erzeug|produzier|meinung|stellung|unterhalten|besprech|heraus(?:geben|zugeben)|angaben|aussagen|anleitung)"
            r"| zur verfügung "
        ),
        sorry=r" (?:als (?:ki|sprachmodell|assistent)\S*|sprachmodell|ki-\S+|aus (?:sicherheits|datenschutz|rechtlichen|ethischen)\S*|tut mir leid|leider|entschuldig\S*|bedaure|bedauere|bedauerlicherweise|sorry|verzeihung|es tut uns leid) ",
        hedged=(
            r" nicht (?:[^ ,]+ )?(?:genau|sicher|exakt|eindeutig|abschließend|mit sicherheit|mit bestimmtheit|genug|umhin|"
            r"hoch genug) | nicht anders als "
        ),
        helps=r" (?:aber|jedoch|allerdings|doch)… (?:wahrscheinlich|vermutlich|meist|meistens|üblicherweise|häufig|hier) | wahrscheinlich(?:ste|e|er|sten)? ",
        absent=(
            r" (?:kontext|dokument\S*|unterlagen|quellen?|texten?|artikeln?|informationen|wissensdatenbank)… (?:nicht|nichts|"
            r"keine?\S*)… (?:enthalten|erwähnt|genannt|finden|angegeben|hervor|beschrieben|gefunden|beantworten) "
            r"| (?:kontext|dokument\S*|unterlagen|quellen?|text|artikel) (?:enthält|enthalten|erwähnt|erwähnen|nennt|nennen)… "
            r"(?:nicht|nichts|keine?\S*) | (?:nicht genügend|nicht genug|keine ausreichenden|unzureichende|keine) "
            r"(?:[^ ,]+ )?(?:informationen|angaben|daten)… (?:gefunden|verfügbar|vorhanden|finden|beantworten|vor) "
        ),
    ),
    "fr": Phrases(
        outright=(
            r" je (?:dois|devrai|suis obligée? de|suis contrainte? de|me vois contrainte? de)… (?:refuser|décliner) "
            r"| je (?:refuse|décline) | (?:demande|question|requête) ne (?:peut|peuvent|pourra) (?:pas )?(?:être )?(?:traitée|"
            r"satisfaite|aboutir|acceptée|exécutée) | ne (?:peut|pourra) (?:pas )?être (?:traitée|satisfaite|exécutée) "
            r"| (?:dépasse|sort d[eu]|hors d[eu]|en dehors d[eu])… (?:cadre|mes|nos|mon|champ|périmètre|compétences?) "
            r"| je ne (?:suis|serai|fus) (?:pas|point) (?:[^ ,]+ )?(?:autorisée?|habilitée?|en mesure|capable|conçue?|"
            r"programmée?|qualifiée?|apte|équipée?|là pour|destinée?) | nous ne sommes pas (?:autorisés|habilités|en mesure) "
            r"| (?:va|vont|est) (?:à l'encontre|contraire)… (?:mes|nos|règles|principes|directives|politique|consignes) "
            r"| (?:enfreint|viole|contrevient à) (?:mes|nos|les) | il (?:m'est|nous est) (?:[^ ,]+ )?(?:impossible|interdit) "
            r"| il ne m'est pas (?:possible|permis) | je préfère(?:rais)? ne pas | je n'ai pas (?:le droit|l'autorisation|"
            r"la permission|la capacité|la possibilité) | je ne (?:réponds|traite|peux répondre|peux aider) qu' ?"
            r"| je ne peux (?:vous )?(?:répondre|aider|assister|parler)… (?:qu'|que ) | je suis uniquement "
            r"| (?:règles|directives|consignes|politique|principes)… (?:ne me|m'interdi|ne m'|m'empêch)\S* | dans l'incapacité "
            r"| (?:m'abst\S+|m'abstenir) | n'est pas (?:un sujet|quelque chose|une question)… je (?:peux|puisse|suis|souhaite) "
            r"| (?:ne relève|n'est|ne sont|n'entre|ne fait)(?: pas)?… (?:de|dans) (?:mes|mon|ma|nos) (?:compétences?|ressort|rôle|domaine|"
            r"attributions?|mission|fonctions) | n'ai pas (?:vocation|pour (?:rôle|mission)) | (?:mon|ma) (?:rôle|mission|fonction) (?:se "
            r"limite|est limitée?|consiste uniquement) | dans l'impossibilité | je ne (?:commente|discute|traite|donne|fournis|parle|"
            r"réponds)(?: [^ ,]+)? ?pas |^ non ,… je (?:ne [^ ,]+|n'[^ ,]+) pas | (?:m'est|m'a été) (?:interdit|défendu) | incapable de "
            r"| (?:bloquée?|filtrée?) par (?:[^ ,]+ )*(?:filtres?|politique|modération) "
            r"| (?:désolée?|regrette) de ne (?:pas )?pouvoir | je (?:ne )?me permettrai pas "
        ),
        cannot=(
            r" (?:je|nous) ne (?:peux|pouvons|saurais|saurions|pourrai|pourrais|pourrons|puis|vais|ferai|dois|souhaite|veux)"
            r"(?: [^ ,]+)? ?(?:pas|point|plus)? | je n'(?:écrirai|aiderai|irai) pas | je ne (?:[^ ,]+rai) pas "
        ),
        serves=(
            r" (?:répondre|aider|vous aider|t'aider|l'aider|assister|vous assister|fournir|donner|accéder|faire (?:ça|cela|"
            r"ceci)|partager|communiquer|divulguer|révéler|écrire|rédiger|rédigerai|écrirai|créer|générer|produire|discuter|"
            r"parler de|aborder|exécuter|traiter|satisfaire|renseigner|vous renseigner|conseiller|commenter|proposer|"
            r"participer|accomplir|offrir|soutenir|expliquer) | l'aider| d'aide "
        ),
        sorry=r" (?:en tant qu\S*|modèle de langage|pour des raisons (?:de|d'|légales|éthiques)\S*|désolée?|malheureusement|regrette|excuses|excusez|pardon|navrée?|hélas) ",
        hedged=(
            r" (?:dire|savoir|affirmer|déterminer|garantir)(?: [^ ,]+)? (?:exactement|avec certitude|précisément|à coup sûr|"
            r"avec exactitude) | ne peux (?:pas )?(?:que|m'empêcher|qu'[^ ,]+) | vous remercier (?:assez|suffisamment) "
        ),
        helps=r" (?:mais|cependant|toutefois)… (?:probablement|généralement|en général|voici|souvent|habituellement) | le plus probable | causes? (?:probables?|possibles?) ",
        absent=(
            r" (?:contexte|documents?|sources?|textes?|articles?|passages?|informations fournies)… (?:ne|n')(?: ?[^ ,]+){1,3} "
            r"(?:pas|aucune?|rien) | (?:ne|n')(?: ?[^ ,]+){1,3} (?:pas|aucune?|rien)… (?:dans|par) (?:le|les|ces|ce|mes|vos) "
            r"(?:contexte|documents?|sources?|textes?|articles?|passages?) "
            r"| (?:pas (?:assez|suffisamment) d'|pas trouvé d'|aucune |pas d')informations? "
        ),
    ),
    "es": Phrases(
        outright=(
            r" (?:debo|tengo que|tendré que|he de|me veo obligad[oa] a) (?:negarme|rechazar|declinar|rehusar) "
            r"| me niego (?:a|rotundamente) | (?:rechazo|declino) (?:esta|esa|la|tu|su|participar|hacer) "
            r"| (?:solicitud|petición|consulta|pregunta) no (?:se )?(?:puede|pudo|podrá) (?:ser )?(?:procesar|atender|"
            r"completar|procesada|atendida|completada|respondida|responder) "
            r"| (?:fuera de|más allá de|excede|sobrepasa)… (?:mi|mis|nuestr[oa]|ámbito|alcance|competencias?|funciones) "
            r"| no (?:estoy|estamos|fui|soy|he sido) (?:[^ ,]+ )?(?:autorizad[oa]s?|capacitad[oa]|diseñad[oa]|programad[oa]|"
            r"cualificad[oa]|preparad[oa]|en condiciones|en posición|capaz|capaces|facultad[oa]|habilitad[oa]|"
            r"entrenad[oa]|dispuest[oa]) "
            r"| (?:va|van|está|es) (?:en contra|contrari[oa])… (?:mis|nuestras|normas|políticas|directrices|principios) "
            r"| (?:infringe|viola|incumple) (?:mis|nuestras|las) | no me es(?:tá)? (?:posible|permitido) | me es imposible "
            r"| no (?:tengo|tenemos) (?:permitido|permiso|autorización|la capacidad|derecho) | prefiero no "
            r"| (?:políticas|normas|directrices|reglas|pautas|principios)… (?:no me permiten|me impiden|me prohíben|no permiten|"
            r"prohíben) "
            r"| no (?:me corresponde|me compete|es de mi (?:competencia|incumbencia)|entra (?:en|dentro de) mis?|forma parte de mis?) | mi "
            r"(?:función|papel|tarea|labor) (?:se limita|está limitad[oa]|es solo) | no es algo (?:en lo que|con lo que|que) (?:yo )?(?:pueda|"
            r"puedo) | (?:yo )?no (?:comento|opino|discuto|doy|ofrezco|hablo|trato|respondo)(?: [^ ,]+){0,2} (?:sobre|de|temas?|consejos?|"
            r"preguntas?|opiniones) |^ no ,… no (?:[^ ,]+ré|haré|pienso|voy|puedo) | me abst\S+ | (?:está|están) prohibid[oa]s?… (?:hablar|compartir) "
            r"| me está prohibido | no me (?:está|es) permitido | (?:solo|sólo|únicamente|solamente) (?:puedo|podemos|respondo|estoy)… (?:preguntas|consultas|temas|ayudar|"
            r"responder|para) | siento no poder | lamento no poder | (?:bloqueada|filtrada|bloqueado) por… (?:filtro|"
            r"política|moderación|seguridad)\S* "
        ),
        cannot=(
            r" no (?:te |le |les |os |me |se |lo )?(?:puedo|podemos|podré|podría|podremos|pude|voy a|vamos a|quiero|debo) "
            r"| no (?:[^ ,]+(?:ré|é)) | me temo que no | no (?:logro|consigo) "
        ),
        serves=(
            r" (?:responder|contestar|ayudar\S*|asistir\S*|proporcionar\S*|dar\S*|ofrecer\S*|atender\S*|hacer (?:eso|esto)|"
            r"hacerlo|compartir\S*|revelar\S*|escribir\S*|redactar\S*|crear\S*|generar\S*|hablar|comentar|discutir|"
            r"cumplir|realizar\S*|facilitar\S*|brindar\S*|procesar\S*|completar\S*|opinar|participar|divulgar|"
            r"escribiré|redactaré|ayudaré|explicar\S*|acceder a (?:esa|esta|su|tu)) "
        ),
        sorry=r" (?:como (?:modelo|asistente|ia|inteligencia)|modelo de lenguaje|por (?:motivos|razones|políticas?)|lo siento|siento|lamentablemente|lamento|disculpa\S*|perdón|perdona\S*|desafortunadamente) ",
        hedged=(
            r" (?:decir\S*|saber|afirmar|asegurar\S*|determinar) (?:con (?:exactitud|certeza|seguridad|precisión)|exactamente|a "
            r"ciencia cierta) | no (?:puedo|podemos) (?:dejar de|evitar|menos que|más que) | (?:agradecer\S*|recomendar\S*) "
            r"(?:lo )?(?:suficiente|bastante) "
        ),
        helps=r" (?:pero|sin embargo|aunque)… (?:probable\S*|normalmente|generalmente|aquí (?:tienes|tiene|están|hay)|suele\S*|habitualmente) | causas? (?:probables?|posibles?) ",
        absent=(
            r" (?:contexto|documentos?|fuentes?|textos?|artículos?|pasajes?|información proporcionada)… no (?:se )?(?:[^ ,]+ )?"
            r"(?:contiene\S*|menciona\S*|incluye\S*|indica\S*|especifica\S*|dice\S*|aparece\S*|proporciona\S*) "
            r"| no (?:se )?(?:[^ ,]+ ){0,3}(?:en|por) (?:el|los|las|la|estos|mis) (?:contexto|documentos?|fuentes?|textos?|artículos?) "
            r"| no (?:hay|tengo|encontré|encuentro|dispongo de|he encontrado) (?:[^ ,]+ )?(?:suficiente |)información "
        ),
    ),
    "it": Phrases(
        outright=(
            r" (?:devo|sono costrett[oa] a|dovrò) (?:rifiutar\S*|declinare|respingere) | mi rifiuto | (?:rifiuto|declino) (?:di|"
            r"questa|la) | richiesta non (?:può|potrà) essere (?:elaborata|soddisfatta|accolta|evasa|completata) "
            r"| (?:esula|fuori|al di fuori|oltre|va oltre)… (?:mie|mio|mia|miei|nostr\S|ambito|competenze|portata) "
            r"| non (?:sono|siamo|ero) (?:stat[oa] )?(?:[^ ,]+ )?(?:autorizzat[oai]|progettat[oa]|programmat[oa]|"
            r"abilitat[oai]|in grado|qualificat[oa]|addestrat[oa]|capac[ei]|dispost[oa]|pensat[oa]) "
            r"| (?:va|vanno|è) (?:contro|contrari[oa])… (?:mie|nostre|linee|regole|politiche|princ\S+|norme) "
            r"| viola (?:le|i) (?:mie|miei|nostre) | non mi è (?:possibile|consentito|permesso|concesso) | mi è impossibile "
            r"| (?:linee guida|regole|norme|politiche|principi|direttive)… (?:non mi (?:consent|permett)|mi (?:imped|viet))\S+ "
            r"| non (?:rientra|rientrano|fa parte|è)… (?:mie|mia|mio|nostr\S) (?:competenz\S|compit\S|ruol\S|ambito|funzion\S) | non (?:mi "
            r"compete|spetta a me|sono qui per) | (?:mio|mia) (?:ruolo|compito|funzione) (?:si limita|è limitat[oa]) | non è (?:qualcosa|una cosa) "
            r"(?:in cui|con cui|che) | (?:questo )?va oltre (?:quello|ciò) che | non (?:commento|discuto|fornisco|parlo di|rispondo a|do) "
            r"|^ no ,… non (?:lo |la |ti |le )?(?:[^ ,]+rò|posso|voglio) | sono (?:impossibilitat[oa]|impossibilitati) | non sono (?:in condizione|nella posizione) | mi astengo "
            r"| mi è vietato | temo di non | preferisco non | preferirei non | (?:posso|possiamo) (?:rispondere |aiutar\S* )?(?:solo|soltanto|solamente|"
            r"unicamente|esclusivamente)… | (?:di|per) non poter(?:ti|la|vi|le)? | non ho (?:il permesso|l'autorizzazione|"
            r"la possibilità di (?:aiutar|risponder|fornir)\S*) | (?:bloccat[oa]|filtrat[oa]) (?:da|dai|dal|dalla)… (?:filtr[oi]|sicurezza|contenut[oi]) "
        ),
        cannot=r" non (?:ti |la |le |vi |lo )?(?:posso|possiamo|potrò|potrei|potremo|voglio|riesco a|intendo|devo) | non (?:[^ ,]+r[òo]|[^ ,]+remo) ",
        serves=(
            r" (?:rispondere|risponder\S*|comunicar\S*|esprimer\S*|aiutar\S*|assister\S*|fornir\S*|dare|dar\S*|offrir\S*|soddisfare|far(?:lo|e questo|e ciò)|"
            r"condividere|rivelare|divulgare|scriver\S*|scriverò|creare|generare|parlare|discutere|commentare|eseguire|"
            r"elaborare|esaudire|proporre|partecipare|consigliare|aiuterò|redigere|spiegare|procedere|completare) "
        ),
        sorry=r" (?:come (?:modello|assistente|ia)|in quanto (?:modello|assistente|ia)|modello linguistico|per (?:motivi|ragioni)|mi dispiace|dispiace|spiacente|purtroppo|scusa\S*|scusi|perdona\S*|mi spiace|sono desolat[oa]) ",
        hedged=(
            r" (?:dir\S*|sapere|affermare|stabilire|garantire) (?:con (?:esattezza|certezza|sicurezza|precisione)|esattamente|"
            r"di preciso) | non posso (?:fare a meno|che|non) | (?:ringraziar\S*|raccomandar\S*) abbastanza "
        ),
        helps=r" (?:ma|però|tuttavia)… (?:probabil\S*|di solito|in genere|ecco|normalmente|spesso) | cause? (?:probabil\S*|possibil\S*) ",
        absent=(
            r" (?:contesto|documenti?|documento|font[ei]|test[oi]|articol[oi]|informazioni fornite)… non (?:[^ ,]+ )?(?:contien\S*|"
            r"conteng\S*|menzion\S*|includ\S*|indic\S*|specific\S*|riport\S*) | non (?:[^ ,]+ ){0,3}(?:nel|nei|nelle|dal|dai) "
            r"(?:contesto|documenti?|documento|fonti|testo|articol[oi]) | non (?:ci sono|ho trovato|ho|dispongo di) "
            r"(?:[^ ,]+ )?informazioni "
        ),
    ),
    "pt": Phrases(
        outright=(
            r" (?:devo|tenho (?:de|que)|terei (?:de|que)|preciso) (?:recusar\S*|declinar|rejeitar|negar\S*) | recuso[ -]me | me "
            r"recuso | (?:recuso|declino) (?:esse|este|o|a|participar) | (?:pedido|solicitação|pergunta|questão) não (?:pode|"
            r"pôde|poderá) ser (?:processad[oa]|atendid[oa]|respondid[oa]|concluíd[oa]) "
            r"| (?:fora d[oae]s?|além d[oae]s?|ultrapassa|excede)… (?:meu|minha|meus|minhas|nosso|âmbito|escopo|alcance|"
            r"competências?) | não (?:estou|estamos|fui|sou) (?:[^ ,]+ )?(?:autorizad[oa]s?|projetad[oa]|projectad[oa]|"
            r"programad[oa]|concebid[oa]|capacitad[oa]|habilitad[oa]|qualificad[oa]|capaz|em condições|treinad[oa]|"
            r"feit[oa]|dispost[oa]|apt[oa]) "
            r"| (?:vai|vão|é) (?:contra|contrári[oa])… (?:minhas|nossas|diretrizes|políticas|regras|princípios|normas) "
            r"| (?:diretrizes|políticas|regras|normas|princípios)… (?:não me permit|me imped|impedem-me|proíb|não permit)\S* "
            r"| não (?:me compete|é d[ae] minha (?:competência|alçada|responsabilidade)|faz parte d[ao]s? (?:meu|minha|meus|minhas)|cabe a mim|me cabe) "
            r"| (?:meu|minha) (?:função|papel|tarefa) (?:limita-se|se limita|é limitad[oa]|está limitad[oa]) | não é algo (?:em que|com que|que)… "
            r"(?:posso|possa) | não (?:comento|discuto|dou|opino|falo|respondo|ofereço|trato)(?: [^ ,]+){0,2} (?:sobre|de|temas?|conselhos?|"
            r"perguntas?|opiniões) |^ não ,… não (?:[^ ,]+rei|vou|posso|quero) | (?:receio|temo) (?:não poder|que não) | me abst\S+ | abstenho-me | me é proibido | viola (?:as )?(?:minhas|nossas) | não (?:me é|é-me) (?:possível|permitido) | é-me impossível "
            r"| não tenho (?:permissão|autorização|permitido|capacidade) | prefiro não | (?:só|somente|apenas) "
            r"(?:posso|podemos|respondo)… | posso (?:apenas|somente)… (?:perguntas|questões|ajudar) "
            r"| (?:lamento|sinto)(?: muito)? não poder | (?:bloqueada|filtrada|bloqueado) (?:pelo|pela|por)… "
        ),
        cannot=(
            r" não (?:o |a |te |lhe |me |se )?(?:posso|podemos|poderei|poderia|consigo|conseguimos|vou|vamos|irei|quero|devo) "
            r"| não (?:[^ ,]+rei) "
        ),
        serves=(
            r" (?:responder|ajudar?\S*|ajudá\S*|auxiliar\S*|fornecer\S*|dar\S*|oferecer\S*|atender\S*|fazer (?:isso|isto)|"
            r"fazê\S*|partilhar|compartilhar|revelar|divulgar|escrever\S*|criar|gerar|falar|comentar|discutir|cumprir|"
            r"realizar|prestar|processar|completar|opinar|participar|redigir|explicar|executar|disponibilizar|satisfazer|"
            r"aconselhar) "
        ),
        sorry=r" (?:como (?:modelo|assistente|ia)|modelo de linguagem|por (?:motivos|razões|questões)|desculp\S*|sinto muito|lamento|infelizmente|lamentavelmente|perdão|perdoe) ",
        hedged=(
            r" (?:dizer\S*|saber|afirmar|determinar|garantir) (?:com (?:certeza|exatidão|exactidão|precisão|segurança)|"
            r"exatamente|exactamente|ao certo) | não posso deixar de | (?:agradecer\S*|recomendar\S*) o (?:suficiente|bastante) "
        ),
        helps=r" (?:mas|porém|contudo|no entanto)… (?:prov\S*|normalmente|geralmente|aqui (?:estão|está|tem)|costuma\S*) | causas? (?:prováveis|provável|possíveis|possível) ",
        absent=(
            r" (?:contexto|documentos?|fontes?|textos?|artigos?|informações fornecidas)… não (?:[^ ,]+ )?(?:cont[eéê]m|menciona\S*|"
            r"inclu\S*|indica\S*|especifica\S*|refere\S*|diz\S*) | não (?:[^ ,]+ ){0,3}(?:no|nos|nas|na|pelos?) "
            r"(?:contexto|documentos?|fontes?|textos?|artigos?) | não (?:há|tenho|encontrei|disponho de) (?:[^ ,]+ )?"
            r"informaç(?:ão|ões) "
        ),
    ),
    "nl": Phrases(
        outright=(
            r" (?:moet|zal|moeten) (?:ik|wij|we)… (?:weigeren|afwijzen|afslaan) | (?:ik|wij|we) (?:moet|zal|moeten)… (?:weigeren|"
            r"afwijzen|afslaan) | ik weiger | weiger ik | (?:verzoek|vraag|aanvraag|bericht) kan niet (?:worden )?(?:"
            r"verwerkt|beantwoord|ingewilligd|uitgevoerd) | (?:buiten) (?:mijn|ons|onze|het bereik) "
            r"| (?:ik ben|ben ik|wij zijn|we zijn) (?:[^ ,]+ ){0,2}niet (?:[^ ,]+ )?(?:bevoegd|gemachtigd|in staat|bedoeld|"
            r"ontworpen|gemaakt|bereid|geschikt|getraind|gekwalificeerd|geautoriseerd) "
            r"| (?:gaat|gaan|is|zijn|druist)… (?:tegen|strijd met|in tegen) (?:mijn|onze|ons) | schendt (?:mijn|onze) "
            r"| (?:is|was) (?:het )?(?:mij|me|voor mij)… niet (?:mogelijk|toegestaan) | (?:ik|we|wij) (?:praat|spreek|ga|wil|zeg|"
            r"bespreek)… liever niet | (?:ik|wij|we) (?:kan|kunnen|mag|beantwoord|help) (?:alleen|enkel|uitsluitend|slechts)… "
            r"(?:vragen|onderwerpen|helpen|beantwoorden) | (?:daar|hier|dat|dit) (?:kan|mag|wil) ik… niet (?:[^ ,]+ )?"
            r"(?:helpen|bij helpen|mee helpen|doen|op ingaan|over praten|op antwoorden|beantwoorden)"
            r"| (?:richtlijnen|regels|beleid|voorschriften)… (?:niet toe|verbied\S*|niet toegestaan) "
            r"| (?:valt|vallen|hoort|behoort) niet… (?:mijn|onze) | (?:mijn|onze) (?:taak|rol|functie) (?:beperkt|is)… (?:tot|beperkt) | niet iets "
            r"waar… | van dienst zijn | ik (?:doe|geef|bespreek|becommentarieer|beantwoord|praat)… (?:geen|niet) |^ nee ,… (?:doe|kan|ga|wil|zal|mag) ik… (?:niet|niets) "
            r"|^ (?:sorry|helaas|het spijt me)(?: ,)?… (?:gaat|lukt|kan|mag) (?:helaas )?niet $| dat ik (?:dat|dit|u|je|daar|hier)… niet "
            r"(?:kan|mag|wil) | ik onthoud me | (?:geblokkeerd|gefilterd) door… (?:filter|beleid|veiligheid)\S* "
        ),
        cannot=(
            r" (?:kan|kunnen|mag|mogen|zal|ga|wil|kon) (?:ik|wij|we)… (?:niet|niets|geen) | (?:ik|wij|we) (?:kan|kunnen|mag|mogen|"
            r"zal|ga|wil|kon)… (?:niet|niets|geen) "
        ),
        serves=(
            r" (?:helpen|assisteren|antwoorden|beantwoorden|geven|verstrekken|bieden|aanbieden|delen|vrijgeven|onthullen|schrijven|"
            r"maken|genereren|bespreken|praten|doen|voldoen|ingaan|uitvoeren|verwerken|adviseren|leveren|opstellen|"
            r"meewerken|zeggen|vertellen|ondersteunen|uitleggen|advies) "
        ),
        sorry=r" (?:als (?:ai|taalmodel|assistent)\S*|taalmodel|om (?:veiligheids|privacy|juridische|ethische)\S*|sorry|helaas|spijt me|spijt ons|excuses|excuseer|jammer genoeg|pardon) ",
        hedged=(
            r" (?:vertellen|zeggen|melden) dat… | niet (?:[^ ,]+ )?(?:precies|zeker|exact|met zekerheid|genoeg|anders dan) | niet nalaten "
        ),
        helps=r" (?:maar|echter|toch)… (?:waarschijnlijk\S*|meestal|doorgaans|hier (?:zijn|is)|vaak|vermoedelijk) | (?:waarschijnlijke|mogelijke) oorza\S* ",
        absent=(
            r" (?:context|document\S*|bron\S*|teksten?|artikel\S*|verstrekte informatie)… (?:niet|niets|geen)… | (?:niet|niets|geen)… "
            r"(?:in|uit) (?:de|het|deze|die|mijn) (?:[^ ,]+ )?(?:context|documenten|document|bronnen|tekst|artikel\S*) "
            r"| (?:niet genoeg|onvoldoende|geen)(?: [^ ,]+)? informatie… (?:gevonden|beschikbaar|beantwoorden|vinden) "
        ),
    ),
    "ru": Phrases(
        outright=(
            r" (?:вынужден[аы]?|должен|должна|придётся|придется)… (?:отказать\S*|отклонить) | (?:я )?отказываюсь | запрос не может быть "
            r"(?:обработан|выполнен) | (?:выходит|выходят) за (?:рамки|пределы)… | вне (?:моей|моих|рамок|сферы|области) "
            r"| не (?:в состоянии|уполномочен[аы]?|предназначен[аы]?|способ(?:ен|на)|имею права|вправе|создан[аы]? для|могу себе позволить|"
            r"обучен[аы]?|запрограммирован[аы]?|готов[аы]?) | (?:противоречит|нарушает)… (?:моим|мои|нашим|наши|правил\S*|политик\S*|"
            r"принцип\S*) | (?:мне|нам)… (?:не разрешено|запрещено|не позволено|нельзя) | нет (?:права|прав|разрешения|полномочий|доступа к "
            r"такой) | (?:предпочёл|предпочел|предпочла|предпочитаю)… не | (?:я )?могу (?:отвечать|ответить|помочь|помогать)? ?(?:лишь|только) "
            r"| (?:правила|политика|инструкции|принципы)… (?:не позволя|запреща|не разреша)\S* "
            r"| не (?:входит|относится)… (?:мою|мои|моей|моим|нашу) | (?:моя|мои|моей) (?:задача|роль|функция|функции|обязанности)… (?:ограничива|"
            r"сводится|ограничены)\S* | не в моих силах | (?:я|мы) не (?:комментир|обсужда|отвеча|да|консультир|помога)\S+ | ничем не (?:могу|сможем|"
            r"можем) помочь |^ нет ,… не (?:буду|стану|могу|собираюсь) | воздерж\S+ "
            r"| (?:отвечаю|помогаю) только | (?:ответ|запрос|контент) (?:был )?(?:заблокирован|отфильтрован) "
        ),
        cannot=(
            r" (?:не|нe) (?:могу|можем|смогу|сможем|буду|будем|стану|хочу|получится) | (?:помочь|ответить|сделать|выполнить)… не "
            r"(?:могу|смогу|можем|сможем) "
        ),
        serves=(
            r" (?:помочь|помогать|ответить|отвечать|предостав\S*|дать|давать|выполн\S*|сделать|делать|раскры\S*|делиться|поделиться|"
            r"написать|писать|создать|создавать|генерировать|обсуждать|говорить|сообщ\S*|консультировать|комментировать|"
            r"рассказ\S*|исполнить|содейств\S*|участвовать|обработать|предлож\S*|объясн\S*|этого|поддерж\S*|рекомендовать) "
        ),
        sorry=r" (?:языковая модель|как (?:ии|искусственный|языковая|ассистент|помощник)\S*|по (?:соображениям|причинам)|извините|извини|простите|прости|к сожалению|сожалею|прошу прощения|приношу извинения|увы) ",
        hedged=(
            r" не (?:могу|можем|смогу)(?: [^ ,]+)? (?:точно|с уверенностью|наверняка|однозначно)(?: [^ ,]+)? | точно сказать "
            r"| не могу не | не (?:могу|можем) (?:нарадоваться|налюбоваться) "
        ),
        helps=r" (?:но|однако|хотя)( ,)?… (?:скорее всего|вероятн\S*|обычно|как правило|вот|возможно) | (?:вероятн|возможн)\S* причин\S* ",
        absent=(
            r" (?:контекст\S*|документ\S*|источник\S*|текст\S*|стать\S*)… (?:не|нет|отсутству\S*) | (?:не|нет)… в (?:этих |данных |"
            r"предоставленн\S* )?(?:контексте|документах|источниках|тексте|статьях) | (?:недостаточно|нет)(?: [^ ,]+)? информации "
        ),
    ),
    "ar": Phrases(
        outright=(
            r" (?:يجب|علي|يتعين)… (?:ان )?(?:ارفض|اعتذر عن|رفض|الرفض) | (?:انا )?ارفض | اعتذر عن | لا يمكن (?:معالجه|تلبيه|تنفيذ|اكمال) "
            r"(?:طلبك|هذا الطلب|طلبكم) | (?:خارج|يتجاوز|خارجه عن)… (?:نطاق|اختصاص|صلاحيات|قدرات|مجال)\S* | (?:لست|لسنا)… (?:مخول\S*|"
            r"قادر\S*|مصمم\S*|مؤهل\S*|مصرح\S*|مسموح\S*|مبرمج\S*) | (?:غير|ليس) (?:مسموح|مصرح|مخول|قادر\S*|مؤهل)(?:ا)?(?: لي| لنا| علي)? "
            r"| (?:يخالف|تخالف|ينتهك|يتعارض مع)… (?:ارشادات|سياس|قواعد|مبادئ|شروط)\S* | (?:افضل|افضل) (?:عدم|الا) | لم (?:يتم )?(?:اصمم|تصميمي|"
            r"اصنع|ابرمج|اخصص) | (?:يمكنني|استطيع|اجيب)… فقط | فقط (?:الاجابه|اجيب) | (?:تم|جرى) (?:حظر|حجب|تصفيه) | ليس لدي (?:صلاحيه|اذن|تصريح) "
            r"| ليس (?:هذا )?(?:من|ضمن) (?:اختصاص|صلاحيات|مهام|عمل|مجال)\S* | (?:تقتصر|يقتصر)… (?:مهم|دور|عمل|وظيف)\S* | (?:مهمتي|دوري|وظيفتي)… (?:تقتصر|يقتصر|محدود|محدوده) | (?:انا )?لا (?:اعلق|"
            r"اناقش|اجيب|اقدم|اعطي|اتحدث) | (?:سياسات|ارشادات|قواعد|مبادئ|تعليمات)\S*… (?:لا تسمح|تمنع|تحظر|لا تجيز)\S* |^ لا ,… (?:لن|لا) | لا يحق لي | (?:محظور|ممنوع) (?:علي|عليه|عليا) "
            r"| امتنع عن | ساكتفي | ليس بامكاني | يتعذر علي | اعجز عن "
        ),
        cannot=(
            r" (?:لا|لن|ولا) (?:يمكنني|استطيع|يمكننا|نستطيع|اتمكن|نتمكن|يسعني|اقدر|استطع|يسعنا|يجوز لي|اود) | لن (?:ا|ن)[^ ,]{2,} | عدم قدرتي "
        ),
        serves=(
            r" (?:ل|ب|و)?(?:ال)?(?:مساعد|اجاب|تقديم|تزويد|تلبي|تنفيذ|قيام|توفير|مشارك|انشاء|كتاب|الرد|رد على|كشف|خوض|تطرق|افصاح|مناقش|تعليق|"
            r"حديث|ابداء|اعطا|نشر|معالج|شرح)\S* | (?:اساعد|ان اساعد|اكتب|فعل|اجيب|اقدم|انفذ|اشارك)\S* | ذلك $| هذا $"
        ),
        sorry=r" (?:بصفتي|كنموذج|نموذج لغوي|باعتباري|عذرا|اسف|اسفه|نعتذر|اعتذر|للاسف|نأسف|ناسف|المعذره|يؤسفني|معذره) ",
        hedged=(
            r" (?:احدد|اعرف|اقول|الجزم|تحديد|اجزم)… (?:بدقه|بالضبط|بالتاكيد|على وجه|بيقين) | (?:لا يسعني|لا يسعنا) الا | لا (?:استطيع|يمكنني) "
            r"(?:الا|ان اوفي|ان اشكرك) "
        ),
        helps=r" (?:لكن|ولكن|الا ان)(?: ,)?… (?:المرجح|غالبا|عاده|المحتمل|اليك|هذه) | الاسباب (?:المحتمله|المرجحه) ",
        absent=(
            r" (?:السياق|المستند\S*|الوثائق|الوثيقه|المصادر|النص\S*|المقال\S*)… (?:لا|لم|ليس)… | (?:لا|لم|ليس)… (?:في|ضمن) "
            r"(?:السياق|المستندات|الوثائق|المصادر|النص) | (?:لا توجد|لا تتوفر|لم اجد|ليس لدي)(?: [^ ,]+)? معلومات "
        ),
    ),
    "hi": Phrases(
        outright=(
            r" (?:मना|इनकार|इंकार|अस्वीकार) (?:करना|करनी|करता|करती|करते|कर) (?:होगा|पड़ेगा|पड़ेगा|रहा|हूँ|हूं|हैं|चाहूँगा) | असमर्थ (?:हूँ|हूं|हैं|हू) "
            r"| (?:अनुरोध|प्रश्न|सवाल|निवेदन)… (?:संसाधित|पूरा|स्वीकार) नहीं (?:किया|की) जा | (?:मेरे|मेरी|हमारे|हमारी)… (?:से|के) (?:बाहर|परे) "
            r"| (?:मेरे|मेरी|हमारे|हमारी)… (?:विरुद्ध|ख़िलाफ़|खिलाफ|उल्लंघन) | (?:मुझे|हमें)… (?:अनुमति|इजाज़त|इजाजत|अधिकार) नहीं | (?:सक्षम|अधिकृत|समर्थ|"
            r"योग्य|तैयार) नहीं (?:हूँ|हूं|हैं|हू) | (?:मेरे|मेरी)(?: [^ ,]+){0,4} (?:क्षेत्र|दायरे|सीमा|काम|भूमिका) में नहीं | (?:मेरी|मेरा) (?:भूमिका|काम|कार्य|उद्देश्य)… (?:सीमित|तक ही) | मैं(?: [^ ,]+){0,6} (?:टिप्पणी|चर्चा|बात|सलाह) नहीं (?:करता|करती|देता|देती) | नहीं (?:करना|कहना|बोलना) (?:चाहूँगा|चाहूंगा|चाहूँगी|चाहता|चाहती) | नहीं (?:बनाया|बनाई|डिज़ाइन|डिजाइन) (?:गया|"
            r"गई|किया) | (?:मैं|हम) (?:केवल|सिर्फ़|सिर्फ|बस)… (?:सकता|सकती|सकते|देता|देती|करता|करती) "
            r"| (?:नीतियाँ|नीतियां|नीति|नियम|दिशानिर्देश|दिशा-निर्देश)… (?:अनुमति|इजाज़त) नहीं |^ नहीं ,… नहीं [^ ,]+(?:ूँगा|ूंगा|ूँगी|ूंगी) |^ नहीं , मैं… नहीं [^ ,]+(?:ूँगा|ूंगा|ूँगी|ूंगी) "
            r"|^ (?:क्षमा|माफ़|माफ|खेद|सॉरी)(?: [^ ,]+){0,3}(?: ,)?… नहीं (?:कर )?(?:सकता|सकती|सकते) $| (?:अवरुद्ध|ब्लॉक) (?:कर|किया) (?:दिया )?गया "
        ),
        cannot=(
            r" (?:मैं|हम|मुझसे)… नहीं (?:[^ ,]+ ){0,3}(?:सकता|सकती|सकते|सकूँगा|सकूंगा|सकूँगी|सकूंगी|पाऊँगा|पाऊंगा|पाऊँगी|पाएँगे|पाएंगे) | (?:मैं|हम)… नहीं [^ ,]+(?:ूँगा|ूंगा|ूँगी|ूंगी|ेंगे) "
        ),
        serves=(
            r" (?:मदद|सहायता|उत्तर|जवाब|जानकारी|प्रदान|पूरा|पूरी|सलाह|बता|बात|साझा|लिख|लिखूँगा|लिखूंगा|लिखूँगी|बना|ऐसा|यह काम|चर्चा|टिप्पणी|अनुरोध|राय|सामग्री|"
            r"खुलासा|समर्थन)(?:\S*) "
        ),
        sorry=r" (?:भाषा मॉडल|एआई|कारणों से|क्षमा|माफ़|माफ|खेद|दुर्भाग्य|दुर्भाग्यवश|अफ़सोस|अफसोस|सॉरी) ",
        hedged=(
            r" (?:ठीक से|निश्चित रूप से|पक्के तौर पर|सटीक रूप से|यक़ीन से|यकीन से|पूरे विश्वास से)… नहीं… (?:सकता|सकती|सकते) | जितनी… कम है | देख नहीं सकत\S* | नहीं देख सकत\S* "
        ),
        helps=r" (?:लेकिन|पर|परंतु|किंतु|मगर)(?: ,)?… (?:संभवतः|संभव|शायद|आमतौर|अक्सर|यहाँ|ये रहे) | संभावित कारण ",
        absent=(
            r" (?:संदर्भ|दस्तावेज़\S*|दस्तावेज\S*|स्रोत\S*|पाठ|लेख\S*)… नहीं | (?:पर्याप्त|कोई)(?: [^ ,]+)? जानकारी… (?:नहीं|मौजूद) "
        ),
    ),
    "zh": Phrases(
        outright=(
            r"(?:我|我们|本助手|本人)?(?:必须|不得不|只能|选择|需要)(?:拒绝|谢绝|婉拒)|^我(?:们)?(?:拒绝|谢绝)|(?:您|你)的(?:请求|问题|要求)(?:无法|不能|未能)(?:被)?"
            r"(?:处理|完成|满足|回答|执行)|(?:超出|不在|超过)(?:了)?(?:我|我们|本助手)?(?:的)?.{0,6}(?:范围|能力|职责|权限)|(?:违反|违背|不符合)(?:了)?(?:我|我们|平台|相关)?(?:的)?"
            r".{0,6}(?:准则|规定|政策|原则|规则|规范|法律法规|指南)|我(?:们)?(?:无权|没有权限|没有权利|没有能力|不便|不方便|不愿|不被允许|未被授权|没有被授权|被禁止)|不方便(?:评论|回答|透露|讨论|回应)"
            r"|不(?:属于|在)(?:我|我们)(?:的)?.{0,6}(?:范围|职责|范畴|领域)|我(?:们)?的(?:职责|任务|作用|功能|角色)(?:仅|只|是仅)?(?:仅限|限于|只限)|我(?:们)?(?:不对|不会对|不就).{0,12}(?:评论|意见|表态|置评|讨论)|我(?:们)?不(?:讨论|谈论|评论|回答)|恕难|帮不上|难以从命"
            r"|(?:规定|政策|准则|规则|原则)(?:不允许|禁止|不容许)|^不.{0,2}我(?:不会|不能|不可以|拒绝)|^(?:抱歉|对不起|不好意思).{0,3}(?:不行|不可以|不能|无法).{0,12}$|我(?:没办法|没法)"
            r"|(?:无法|不能|不便|难以)(?:作答|回答|回应|答复|提供帮助|协助|满足(?:您|你))|我(?:们)?(?:只能|仅能|只)(?:回答|提供|处理|讨论|协助)|(?:我|我们)的设计(?:目的)?(?:不是|并非|并不)|(?:不是|并非)(?:为|用来).{0,8}(?:设计|设的)|恕(?:我)?(?:无法|不能|难以)"
            r"|(?:帮不了|帮不上|无可奉告|爱莫能助|无能为力)|(?:内容|回复|请求)(?:已)?被(?:屏蔽|拦截|过滤|安全)"
        ),
        cannot=r"(?:我|我们|本助手|本系统|ai|助手)(?:目前|暂时|现在|真的|也|还|是|并)?(?:无法|不能|不可以|不会|没法|没有办法|不可能|难以)|^(?:无法|不能|没法)",
        serves=(
            r"帮|回答|提供|协助|处理|满足|执行|完成|生成|撰写|编写|写|讨论|透露|给出|支持|参与|这样做|这么做|做到|做这|分享|回应|评论|解答|创建|遵从|建议|告诉|告知|答复|披露|公开|推荐"
        ),
        sorry=r"作为(?:一个|一名)?(?:人工智能|ai|语言模型|助手|大模型)|抱歉|对不起|不好意思|很遗憾|遗憾的是|非常遗憾",
        hedged=r"(?:无法|不能|没法)(?:完全)?(?:确切|确定|准确|肯定|断定|百分之百)(?:地)?.{0,6}|(?:不能|无法)不|看不到",
        helps=r"(?:但|不过|然而|可是|但是).{0,6}(?:可能|通常|一般|很可能|以下|大概|多半|常见)|(?:可能|常见)的?原因",
        absent=(
            r"(?:上下文|文档|资料|文章|材料|文本|来源|知识库|检索结果).{0,8}(?:没有|未|并未|无|不)(?:提到|提及|包含|说明|找到|提供|涉及|相关|足够)|(?:没有|未能?|无法)(?:在|从)"
            r".{0,8}(?:上下文|文档|资料|文章|材料|来源|知识库)|(?:没有|未)(?:找到|足够|相关).{0,4}信息|信息不足"
        ),
    ),
    "ja": Phrases(
        outright=(
            r"お(?:答え|応え|手伝い|力に?なる?|役に立つ|伝え|教え|話し|受け)(?:する|は|も)?(?:こと(?:は|が)?)?(?:し)?(?:でき|いたし?かね|しかね|出来)(?:ません|かね|ない)?|お答えできかね|お応えできかね|お力になれません|お役に立てません"
            r"|(?:いたし|致し|し|でき)かね(?:ます|る)|お断り(?:し|いた|させ)|(?:拒否|辞退|遠慮)(?:します|いたします|させて)|(?:差し控え|控え)(?:させて|ます|たい)|^いいえ.{0,10}(?:しません|いたしません|できません)$|^(?:申し訳(?:ありません|ございません)|すみません|ごめんなさい|残念ながら).{0,4}(?:でき|出来)(?:ません|かねます)$|ご?期待に(?:沿え|添え|応えられ)|お受け(?:でき|いたし|いたしか|致し)|専門外|担当(?:では|じゃ)(?:ありません|ございません|ない)|(?:私|当方)の(?:役割|業務|機能|仕事)は.{0,30}(?:限られ|限定|のみ)|(?:コメント|回答|議論|お話し?|お答え)(?:は)?(?:し|いたし|致し)(?:ません|ておりません|ていません|かねます)|(?:沿い|添い|応じ|従い|答え|助け)かねます|お(?:役|力)に(?:立て|なれ)(?:そうに|ない|ません|ず)|(?:対応|回答|業務|専門)?(?:範囲|専門|対象|権限|職務)(?:の)?外"
            r"|権限(?:が|は)(?:ありません|ございません|ない)|(?:規約|ガイドライン|方針|ポリシー|ルール|規則|規定)(?:に|で)(?:反し|違反|抵触|禁じ|より)|許可されて(?:い|お)(?:ません|りません)|(?:禁止|禁じ)されて(?:い|お)"
            r"|(?:には|のみ)(?:お)?(?:答え|回答|対応)(?:でき|して|する|が|いたし)(?:ます|おりません)|(?:に|には|は)対応して(?:おり|い)ません|(?:対応|お手伝い|協力|回答|答え|支援|お話し?|ご案内|相談)(?:は|が|も)?(?:でき|出来)(?:ません|かねます|ない)"
            r"|(?:質問|要望|依頼|リクエスト|要求)(?:に|には|は|を).{0,8}(?:でき|出来)(?:ません|かねます)|(?:書け|答えられ|教えられ|話せ|手伝え|協力でき|従え|助けられ|応じられ)ません|(?:設計|作ら|開発)されて(?:い|お)(?:ません|りません)"
            r"|^(?:申し訳(?:ありません|ございません)が?|すみませんが?|ごめんなさい|恐れ入りますが|残念ながら)?(?:それ|これ|そう|そのようなこと|そのこと)(?:は|を|する|に)(?:こと)?(?:は|が)?(?:でき|出来|いたしかね)(?:ません|ない|かねます)|(?:ブロック|フィルター?)され(?:まし|ました)"
        ),
        cannot=r"(?:こと|の)(?:は|が|も)?(?:でき|出来)(?:ません|かねます|ない)|(?:提供|生成|作成|開示|共有|実行|出力|紹介|案内|説明|助言|回答|支援|公開)(?:は|が|も|を)?(?:でき|出来|いたしかね|しかね)(?:ません|ます|ない)",
        serves=(
            r"お答え|お応え|回答|提供|手伝|対応|助言|アドバイス|生成|作成|コンテンツ|お伝え|お教え|共有|開示|支援|協力|情報|ご要望|ご質問|リクエスト|お話|議論|意見|コメント|執筆|支持|診断"
        ),
        sorry=r"申し訳|すみません|ごめんなさい|恐れ入り|残念ながら|あいにく|恐縮",
        hedged=r"(?:正確|確実|断定|はっきり|確か)(?:な|に|は|には)?.{0,8}(?:断定|言え|申し上げ|特定|わかり|分かり)?(?:でき|出来)?(?:ませんが|ないですが)|せざるを得|ずにはいられ",
        helps=r"(?:が|しかし|ただし|ですが)(?:、)?(?:おそらく|通常|一般的|たいてい|可能性|考えられる|以下)|考えられる原因|可能性が高い",
        absent=(
            r"(?:文脈|コンテキスト|文書|ドキュメント|資料|記事|本文|情報源|提供された情報).{0,10}(?:記載|言及|含まれて|書かれて|見つかり|見当たり)(?:は|が)?(?:い|され|あり|て|ま)?.{0,4}(?:ません|ない|おりません)"
            r"|情報が(?:不足|見つかり|ありません|足り)|(?:該当|関連)する情報.{0,6}(?:ません|ない)"
        ),
    ),
    "ko": Phrases(
        outright=(
            r"(?:도와|답변|대답|말씀|알려|들어|안내|도움을?|제공해?|조언을?|설명|공유해?|가르쳐|답을?|답해)(?:을|를|해)?드(?:릴|리기|리지)(?:수(?:가|는)?없|어렵|곤란|못|않)|(?:거절|거부|사양)(?:하겠|합니다|할수밖에|해야|드립|하는것)"
            r"|(?:제|저희|저의|나의)(?:업무|전문|담당|서비스|능력|권한|역할)?.{0,6}(?:범위|밖|영역|한계|권한)(?:를|을|에|의)?(?:벗어|넘|밖|입니다|없)|(?:제|저희)?(?:권한|자격)이?없습니다|(?:지침|정책|규정|원칙|가이드라인|약관)(?:에|을|를)?(?:어긋|위반|위배|반하|따라|맞지않)"
            r"|능력밖|(?:제|저희)?(?:담당|소관|역할|일)(?:이|은|는)?(?:아닙니다|아니에요)|(?:제|저희)역할은.{0,30}(?:제한|한정|국한)|(?:언급|논의|답변|대답|조언)하지않(?:습니다|아요)|(?:도움이되어|도움이되|도움을)(?:어)?드리지못|^아니.{1,3}(?:그렇게|그런|그건).{0,8}(?:않|못)|^(?:죄송|미안).{0,8}(?:안됩니다|안돼요|못합니다|할수없습니다)$|정책상|규정상|(?:의견|견해|입장)을?(?:말|표현|표명|제시|드릴|낼).{0,4}수없|허용되지않|허락되지않|금지되어|(?:질문|문의|주제|내용)에(?:만|대해서만|관해서만)(?:답변|도움|답|대답|응답|도와)|(?:에만|만)(?:답변|대답|도움|도와|응답).{0,4}(?:수있|가능)|(?:만들어지지|설계되지|개발되지|훈련되지)않"
            r"|요청.{0,10}(?:처리|응|이행|수행|수락|들어드|도와드|따르).{0,6}(?:수(?:가|는)?없|어렵|못)|응할수(?:가)?없|말씀드리기(?:곤란|어렵)|(?:답변|대답|도움|조언|응답|언급)(?:하기|드리기)?(?:가)?(?:어렵|곤란)|도움을(?:드리지|줄수)(?:못|없)"
            r"|(?:작성|참여|협조|쓰|답변|도와드리)(?:하)?지않겠|(?:차단|필터링)되었|도와드리지못|(?:그렇게|그럴|그건할|그것은할|이건할)(?:할)?수(?:가|는)?없"
        ),
        cannot=r"(?:할|될|줄|드릴|쓸|낼)수(?:가|는|도)?없|하지(?:못|않)|못합니다|불가능합니다|어렵습니다|않겠습니다",
        serves=(
            r"답변|대답|도움|도와|제공|알려|정보를공유|공유|작성|생성|응답|조언|상담을|조언을|콘텐츠|논의|언급|공개|추천해|처리할|이행|협조|참여|안내"
        ),
        sorry=r"죄송|미안|유감|안타깝게도|송구|양해",
        hedged=r"(?:정확|확실|단정|장담).{0,12}(?:없지만|없으나|어렵지만|모르지만|없습니다만)|하지않을수없",
        helps=r"(?:지만|하지만|그러나|다만).{0,10}(?:아마|보통|일반적|가능성|대개|다음)|가능성이(?:큽|높)|가능한원인",
        absent=(
            r"(?:문맥|문서|자료|본문|기사|제공된정보|출처|컨텍스트).{0,10}(?:없습니다|언급되지|포함되|찾을수없|나와있지|명시되)|정보가(?:부족|없|충분하지)|(?:관련|해당)(?:된)?정보.{0,6}(?:없|못)"
        ),
    ),
}
